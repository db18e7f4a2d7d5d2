package quotabench

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Window is the span of a vault's quota.
const Window = 10 * time.Second

// Units is the documented quota of a vault, in units per Window.
const Units = 4000

// Quota is what a vault allows in a Window, in units, as a function of the
// time since the start of the run. A change takes effect at once.
type Quota func(at time.Duration) float64

// Model decides which calls a vault admits. Calls come in the order of time,
// counted from the start of the run.
type Model interface {
	// Admit reports whether a call of that cost is admitted at that moment,
	// and if not, after which time the model would admit one.
	Admit(at time.Duration, cost float64) (ok bool, after time.Duration)
}

// Shape is a reading of the quota. The real service documents none.
type Shape string

// The shapes. All but Nodes have a single counter.
const (
	Fixed       Shape = "fixed"  // windows that follow each other
	FirstCall   Shape = "first"  // a window that its first call opens
	SlidingLog  Shape = "log"    // the last 10 s, exactly
	Slices      Shape = "slices" // the last ten slices of 1 s
	WholeBucket Shape = "bucket" // a token bucket that holds a whole quota
	SmallBucket Shape = "tenth"  // a token bucket that holds a tenth of it
	Nodes       Shape = "nodes"  // four nodes with a quarter each; every call meets one at random
)

// Shapes lists all shapes, in the order of the tables.
func Shapes() []Shape {
	return []Shape{Fixed, FirstCall, SlidingLog, Slices, WholeBucket, SmallBucket, Nodes}
}

// Rules say how a vault limits.
type Rules struct {
	Shape Shape // required
	Quota Quota // nil: Units at any time

	// Charged makes a refused call count like an admitted one. It has no
	// effect on windows: one that refuses is as good as full.
	Charged bool

	// Hint makes refusals carry a correct Retry-After, rounded up to seconds.
	Hint bool

	// Phase shifts the edges of windows and slices; from 0 up to Window.
	Phase time.Duration

	Seed uint64 // of the choice of nodes
}

// Model returns a fresh model: empty counters, a full bucket.
func (r Rules) Model() (Model, error) {
	if r.Quota == nil {
		r.Quota = func(time.Duration) float64 { return Units }
	}
	if r.Phase < 0 || r.Phase >= Window {
		return nil, fmt.Errorf("quota model: the phase %s lies outside a window", r.Phase)
	}
	switch r.Shape {
	case Fixed:
		return &fixed{quota: r.Quota, phase: r.Phase}, nil
	case FirstCall:
		return &firstCall{quota: r.Quota, start: -Window}, nil
	case SlidingLog:
		return &slidingLog{quota: r.Quota, charged: r.Charged}, nil
	case Slices:
		return &sliced{quota: r.Quota, phase: r.Phase, charged: r.Charged}, nil
	case WholeBucket:
		return newBucket(r.Quota, 1, r.Charged), nil
	case SmallBucket:
		return newBucket(r.Quota, 0.1, r.Charged), nil
	case Nodes:
		return newNodes(r.Quota, r.Phase, rand.New(rand.NewPCG(r.Seed, 4))), nil
	}
	return nil, fmt.Errorf("quota model: there is no shape %q", r.Shape)
}
