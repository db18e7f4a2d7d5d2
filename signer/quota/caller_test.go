package quota

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"
)

// TestWaitsAreTold makes a call that goes at once, one that waits for its turn,
// and one that gives up: the two that wait say so, and when they wait no more.
func TestWaitsAreTold(t *testing.T) {
	t.Parallel()
	bubble(t, Config{}, func(t *testing.T, g *Gate) {
		var told []bool
		ctx := WithWaits(t.Context(), func(waits bool) { told = append(told, waits) })
		for range 2 {
			if _, err := g.Enter(ctx, 1); err != nil {
				t.Fatal(err)
			}
		}
		if want := []bool{true, false}; !slices.Equal(told, want) {
			t.Errorf("two calls told %v, want %v", told, want)
		}
		ctx, stop := context.WithCancel(ctx)
		time.AfterFunc(time.Millisecond, stop)
		if _, err := g.Enter(ctx, 1); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the end of the context", err)
		}
		if want := []bool{true, false, true, false}; !slices.Equal(told, want) {
			t.Errorf("three calls told %v, want %v", told, want)
		}
	})
}

// TestPace counts calls: at what they cost lately, and not at what one unit
// would.
func TestPace(t *testing.T) {
	t.Parallel()
	bubble(t, Config{}, func(t *testing.T, g *Gate) {
		if got := g.Pace(); got != 10 {
			t.Errorf("%v calls a second before the first, want 10", got)
		}
		enter(t, g, 4).Leave(Result{Outcome: Accepted})
		if got := g.Pace(); got != 2.5 {
			t.Errorf("%v calls of 4 units a second, want 2.5", got)
		}
	})
	bubble(t, Config{ManagedHSM: true}, func(t *testing.T, g *Gate) {
		if got := g.Pace(); !math.IsInf(got, 1) {
			t.Errorf("%v calls a second without a rate, want no bound", got)
		}
	})
}
