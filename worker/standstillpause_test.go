package worker

import (
	"math"
	"testing"
	"time"
)

// TestStandstillPause: a job comes back after as long as the silence at most, in time
// for its sender, and never at once.
func TestStandstillPause(t *testing.T) {
	const s = time.Second
	for _, test := range []struct{ silent, left, least, most time.Duration }{
		{15 * s, forever, 15 * s, 30 * s},
		{time.Minute, forever, 30 * s, time.Minute},
		{24 * time.Hour, forever, 150 * s, 5 * time.Minute},
		{24 * time.Hour, time.Minute, 30 * s, 30 * s},
		{24 * time.Hour, s, s, s},
	} {
		e := stillError{test.silent}
		least := e.pause(test.left, func(time.Duration) time.Duration { return 0 })
		most := e.pause(test.left, func(n time.Duration) time.Duration { return n })
		if least != test.least || most != test.most {
			t.Errorf("after %s, with %s left: %s to %s, want %s to %s", test.silent, test.left, least, most, test.least, test.most)
		}
	}
}

// steadyPace is a Pace that does not change.
type steadyPace float64

func (p steadyPace) Pace() float64 { return float64(p) }

// TestPatience: at a slow pace a key that is well is silent for long, because each
// job held has its turn.
func TestPatience(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		pace Pace
		want time.Duration
	}{
		{nil, 15 * s}, {steadyPace(math.Inf(1)), 15 * s}, {steadyPace(4), 25 * s}, {steadyPace(0.1), 75 * s}, {steadyPace(1e-300), 75 * s}, {steadyPace(0), 75 * s},
	} {
		from := &source{held: make(chan struct{}, 30)}
		for range 20 {
			from.held <- struct{}{}
		}
		w := &Worker{Config: Config{Pace: test.pace}, sources: []*source{from}}
		if got := w.patience(); got != test.want {
			t.Errorf("20 jobs at a pace of %v: got %s, want %s", test.pace, got, test.want)
		}
	}
}
