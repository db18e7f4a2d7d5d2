package quota

import (
	"log/slog"
	"math/rand/v2"
	"time"
)

// Config describes one budget of one vault. The zero value is the documented
// budget of a vault that no other replica uses.
type Config struct {
	// Quota is what the vault allows in a Window, for the whole fleet. It is
	// the ceiling: the controller goes below it, never above. Zero: KeyUnits.
	Quota Units

	// Window is the span that Quota counts for. Zero: 10 s.
	Window time.Duration

	// Guard is the part of the quota that is planned for, 0..1. 0.995 is
	// right when all keys cost the same. Zero: 0.99.
	Guard float64

	// Share is this replica's part. nil: Static{}, the whole quota.
	Share Share

	// Lanes by the name that Caller.Lane gives. The lane "" exists always.
	Lanes map[string]Lane

	// MaxWaiting bounds the calls that wait. Zero: 10,000.
	MaxWaiting int

	// MaxInFlight bounds the calls that were sent and have no answer. The
	// bound in force follows latency and rate below it. Zero: 256.
	MaxInFlight int

	// ManagedHSM is for a pool, which has no window: there is no rate, and
	// the calls in flight follow latency alone. Quota, Window, Guard and
	// Share are not read.
	ManagedHSM bool

	// Subscription is the budget above several vaults. nil: none.
	Subscription *Subscription

	// Random is the source of all chance. The gate uses it under its lock.
	// nil: a source that is seeded anew.
	Random rand.Source

	// Observe, unless nil, is told each change of the controller's mind. It
	// is called under the gate's lock: it must be quick and must not call
	// the gate.
	Observe func(Change)

	// Log gets one line for each change of mind. nil: nothing is logged.
	Log *slog.Logger
}

// Lane is a group of jobs with a part of the vault's budget. What a lane does
// not use goes to the others.
type Lane struct {
	Weight float64 // part of the budget relative to other lanes with work; zero: 1
	Floor  float64 // part of the budget that is the lane's in any case, 0..1
}
