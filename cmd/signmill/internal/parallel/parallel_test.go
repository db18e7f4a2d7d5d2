package parallel

import (
	"errors"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// numbers yields 0 to n-1, and then err if there is one.
func numbers(n int, err error) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			if !yield(i, nil) {
				return
			}
		}
		if err != nil {
			yield(0, err)
		}
	}
}

func TestInOrderKeepsOrderAndBound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const bound = 4
		var under, most atomic.Int32
		work := func(i int) int {
			most.Store(max(most.Load(), under.Add(1)))
			<-time.After(time.Duration(i%3) * time.Second) // later ones finish first
			under.Add(-1)
			return i
		}
		var got []int
		for i, err := range InOrder(bound, numbers(20, nil), work) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, i)
		}
		if !slices.IsSorted(got) || len(got) != 20 {
			t.Errorf("got %v, want 0 to 19 in order", got)
		}
		if most.Load() < 2 || most.Load() > bound+1 {
			t.Errorf("got %d calls at once, want 2 to %d", most.Load(), bound+1)
		}
	})
}

func TestInOrderEnds(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	synctest.Test(t, func(*testing.T) { // the bubble ends only when every goroutine has
		seen := 0
		for range InOrder(3, numbers(100, nil), func(i int) int { return i }) {
			if seen++; seen == 5 {
				break
			}
		}
	})
	var got error
	for _, err := range InOrder(3, numbers(2, broken), func(i int) int { return i }) {
		got = err
	}
	if !errors.Is(got, broken) {
		t.Errorf("got error %v, want %v", got, broken)
	}
}
