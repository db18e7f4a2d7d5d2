package quota

import (
	"errors"
	"fmt"
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

	// Guard is the part of the quota that is planned for, up to 1. 0.995 is
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
	Floor  float64 // part of the budget that is the lane's in any case; less than 1 in all
}

// faults lists what is wrong with c.
func (c Config) faults() []error {
	var faults []error
	if c.Quota < 0 || c.Window < 0 || c.MaxWaiting < 0 || c.MaxInFlight < 0 {
		faults = append(faults, errors.New("a negative Quota, Window, MaxWaiting or MaxInFlight"))
	}
	if !(c.Guard >= 0 && c.Guard <= 1) {
		faults = append(faults, fmt.Errorf("a Guard of %v is not between 0 and 1", c.Guard))
	}
	if share, ok := c.Share.(interface{ faults() []error }); ok {
		faults = append(faults, share.faults()...)
	}
	floors := 0.0
	for name, l := range c.Lanes {
		if !(l.Weight >= 0 && l.Weight <= maxWeight) || !(l.Floor >= 0 && l.Floor < 1) {
			faults = append(faults, fmt.Errorf("lane %q: Weight %v and Floor %v", name, l.Weight, l.Floor))
		}
		floors += l.Floor
	}
	if floors >= 1 {
		faults = append(faults, fmt.Errorf("the floors of the lanes add up to %v, and must stay below 1", floors))
	}
	return faults
}

const maxWeight = 1e6

// filled returns c with the documented values in place of zeros.
func (c Config) filled() Config {
	orElse(&c.Quota, KeyUnits)
	orElse(&c.Window, 10*time.Second)
	orElse(&c.Guard, 0.99)
	orElse(&c.MaxWaiting, 10_000)
	orElse(&c.MaxInFlight, 256)
	orElse(&c.Log, slog.New(slog.DiscardHandler))
	if c.Share == nil {
		c.Share = Static{}
	}
	if c.Random == nil {
		c.Random = rand.NewPCG(rand.Uint64(), rand.Uint64())
	}
	return c
}

func orElse[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
