// Package parallel works on the values of a sequence with several goroutines,
// and keeps their order.
package parallel

import (
	"iter"
	"sync"
)

// InOrder yields work's result for each value of in, in the order of in,
// with n calls under way at most. An error from in is yielded and ends it.
// Nothing of it runs on after the loop over it has ended.
func InOrder[T, R any](n int, in iter.Seq2[T, error], work func(T) R) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var (
			turns   = make(chan chan R, n-1) // one result each; closed by the feeder
			stop    = make(chan struct{})    // closed here, when no more is wanted
			crew    sync.WaitGroup
			failure error // written by the feeder before it closes turns
		)
		defer crew.Wait()
		defer close(stop)
		crew.Go(func() {
			defer close(turns)
			for v, err := range in {
				if failure = err; err != nil {
					return
				}
				turn := make(chan R, 1)
				crew.Go(func() { turn <- work(v) })
				select {
				case turns <- turn:
				case <-stop:
					return
				}
			}
		})
		for turn := range turns {
			if !yield(<-turn, nil) {
				return
			}
		}
		if failure != nil {
			var none R
			yield(none, failure)
		}
	}
}
