package main

import (
	"iter"
	"sync"
)

// inParallel yields work's result for each value of in, n calls at a time, in
// the order in which they finish. An error from in is yielded and ends it.
// Nothing of it runs on after the loop over it has ended.
func inParallel[T, R any](n int, in iter.Seq2[T, error], work func(T) R) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var (
			todo    = make(chan T) // closed by the feeder
			done    = make(chan R) // closed when the crew has left
			stop    = make(chan struct{})
			crew    sync.WaitGroup
			failure error // written by the feeder before it leaves the crew
		)
		crew.Go(func() { failure = feed(in, todo, stop) })
		for range n {
			crew.Go(func() { serve(todo, done, stop, work) })
		}
		go func() { crew.Wait(); close(done) }()

		wanted := true
		for r := range done {
			if wanted && !yield(r, nil) {
				wanted = false
				close(stop)
			}
		}
		if wanted && failure != nil {
			var none R
			yield(none, failure)
		}
	}
}

// feed sends the values of in to todo until stop is closed.
func feed[T any](in iter.Seq2[T, error], todo chan<- T, stop <-chan struct{}) error {
	defer close(todo)
	for v, err := range in {
		if err != nil {
			return err
		}
		select {
		case todo <- v:
		case <-stop:
			return nil
		}
	}
	return nil
}

// serve works on the values of todo until stop is closed.
func serve[T, R any](todo <-chan T, done chan<- R, stop <-chan struct{}, work func(T) R) {
	for v := range todo {
		select {
		case done <- work(v):
		case <-stop:
			return
		}
	}
}
