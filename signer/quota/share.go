package quota

import (
	"context"
	"fmt"
	"time"
)

// Share is where this replica's part of the fleet's rate comes from.
//
// A gate runs it from New until Close. Run tells the part through tell: the
// first as soon as it is known, and each change at once. Before the first the
// gate sends nothing, so a replica that joins can wait until the others have
// seen it. tell never blocks, and may be called from any goroutine until Run
// returns. Run returns when ctx ends; what it returns earlier is logged, and
// the last part stays in force.
type Share interface {
	Run(ctx context.Context, tell func(Part)) error
}

// Part is either a rate or slots, and may change from one to the other: a
// source of slots that loses its store tells the replicas it counted last and
// the scale of that moment, and the gate goes on by itself.
type Part struct {
	// Replicas share the quota, this one included; at least 1. Without
	// Slots the gate paces itself at 1/Replicas of the fleet's rate, under
	// a controller of its own.
	Replicas int

	// Scale, unless zero, replaces what the gate's own controller believes
	// of the quota, 0..1.
	Scale float64

	// Slots, unless nil, grants the times at which calls may be sent, and
	// owns the controller.
	Slots Slots

	// Epoch of the grants that are valid. Epochs grow, and grants of an
	// earlier one are void: a source must push a new epoch, not wait to be
	// asked.
	Epoch uint64
}

// Slots is a source of send times for a whole fleet.
//
// The gate has one Ask outstanding at most. Accepted and failed calls ride on
// the next one; refused calls and the answers of probes are reported at once.
type Slots interface {
	// Ask returns a grant for calls of these costs, in this order, or a
	// grant of nothing that says when to ask again. An error is logged, and
	// the gate asks again after a second.
	Ask(ctx context.Context, want []Units, done []Done) (Grant, error)
	// Report tells results that cannot wait. An error is logged.
	Report(ctx context.Context, done []Done) error
}

// Grant is a stretch of the fleet's one sequence of sends. The first call may
// leave After the answer, each further one cost/Rate after the one before,
// until Units are used. Calls need not be those that were asked for.
type Grant struct {
	Epoch uint64
	After time.Duration // from the answer to the first send; less than zero: time lost that may be caught up
	Late  time.Duration // by how much the answer was held up on its way; its times count from before that
	Units Units         // zero: nothing was granted
	Rate  float64       // units per second
	Probe bool          // exactly one call may go, and its answer is waited for
	Again time.Duration // when nothing was granted: ask again after this
}

// Done is the end of a call, for a source that owns the controller.
type Done struct {
	Result
	Cost  Units
	Age   time.Duration // since the call was sent
	Epoch uint64        // of the grant that it was sent under
	Probe bool
}

// Static is a Share that is configured: Replicas share the quota for good.
// The zero value is one replica.
type Static struct{ Replicas int }

// Run tells the number once.
func (s Static) Run(ctx context.Context, tell func(Part)) error {
	tell(Part{Replicas: max(1, s.Replicas)})
	<-ctx.Done()
	return nil
}

func (s Static) faults() []error {
	if s.Replicas < 0 {
		return []error{fmt.Errorf("Static: %d replicas", s.Replicas)}
	}
	return nil
}
