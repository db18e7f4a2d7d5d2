package quota

import (
	"log/slog"
	"math"
	"time"
)

// Phase is what a gate does at a moment.
type Phase string

// The phases of a gate.
const (
	Joining Phase = "joining" // waits for its first part
	Sending Phase = "sending" // paces calls
	Probing Phase = "probing" // the quota is used up: single calls find its return
	Holding Phase = "holding" // waits as long as the vault asked to
	Closed  Phase = "closed"
)

// State is a snapshot of a gate. Counts are since New.
type State struct {
	Phase    Phase   // what the gate does now
	Scale    float64 // s: what the controller believes of the quota, 0.02..1
	Rate     float64 // units per second of this replica; zero for a Managed HSM and with slots
	Replicas int     // that share the quota, this one included; zero: not known yet
	Quota    Units   // configured, of the fleet, in a window

	Waiting  int // calls that wait for their turn
	InFlight int // calls that were sent and have no answer
	Limit    int // calls that may be in flight

	Sent      int64         // calls, each attempt once
	Accepted  int64         // calls that the vault did, or refused for a reason of its own
	Throttled int64         // calls answered 429
	Failed    int64         // calls without an answer, or with 5xx
	Used      int64         // units sent
	Waited    time.Duration // time that sent calls waited, in all
}

// LogValue groups the fields for a log: phase, scale, units_per_second,
// replicas, quota, waiting, in_flight, limit, sent, accepted, throttled, failed,
// units_used and waited_ms, in the order of the fields.
func (s State) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("phase", string(s.Phase)),
		slog.Float64("scale", s.Scale),
		slog.Float64("units_per_second", s.Rate),
		slog.Int("replicas", s.Replicas),
		slog.Int64("quota", int64(s.Quota)),
		slog.Int("waiting", s.Waiting),
		slog.Int("in_flight", s.InFlight),
		slog.Int("limit", s.Limit),
		slog.Int64("sent", s.Sent),
		slog.Int64("accepted", s.Accepted),
		slog.Int64("throttled", s.Throttled),
		slog.Int64("failed", s.Failed),
		slog.Int64("units_used", s.Used),
		slog.Int64("waited_ms", s.Waited.Milliseconds()),
	)
}

// Why is the reason of a Change.
type Why string

// The reasons for which a controller changes its mind.
const (
	Trickle     Why = "single 429"                    // a little less; logged at debug level
	UsedUp      Why = "quota used up"                 // calls stop, and single ones probe
	Back        Why = "quota is back"                 // calls go on, at the rate that the pause tells
	Climb       Why = "try more"                      // is the quota higher than believed?
	ClimbFailed Why = "more was too much"             // the last step is taken back
	Full        Why = "configured quota reached"      // nothing is left to climb
	Undone      Why = "cut was due to new replicas"   // and is taken back
	Members     Why = "number of replicas changed"    // so did this one's part
	Requota     Why = "another quota was configured"  // SetQuota
	Slotted     Why = "send times come from a source" // no rate of the gate's own
	Paced       Why = "the gate paces itself"         // at its part of the rate
)

// Change is a change of the controller's mind.
type Change struct {
	Why   Why
	Phase Phase
	Scale float64
	Rate  float64 // units per second of this replica
}

// State returns a snapshot.
func (g *Gate) State() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.count
	s.Phase = g.phase(g.now())
	s.Scale = g.control.scale
	if !g.config.ManagedHSM && g.part.Slots == nil {
		s.Rate = g.control.rate()
	}
	s.Replicas, s.Quota = g.part.Replicas, g.config.Quota
	s.Waiting, s.InFlight, s.Limit = g.turns.len, g.flights.len(), g.places()
	s.Waited = seconds(g.waited)
	return s
}

// Limit returns how many calls may be in flight. It is what a caller needs in
// workers to use its part of the quota.
func (g *Gate) Limit() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.places()
}

// Pace returns how many calls this replica may send in a second, at what calls
// have cost lately. It is zero before the first part of the quota is known, and
// infinite for a Managed HSM, which has no rate. With slots it is an estimate.
func (g *Gate) Pace() float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.config.ManagedHSM:
		return math.Inf(1)
	case g.part.Slots != nil:
		return g.slotPace(g.now())
	case g.part.Replicas == 0:
		return 0
	}
	return g.control.rate() / max(1, g.control.mean)
}

func (g *Gate) phase(now float64) Phase {
	switch {
	case g.closed:
		return Closed
	case g.part.Replicas == 0 && g.part.Slots == nil:
		return Joining
	case now < g.held:
		return Holding
	case g.part.Slots == nil && g.control.pause.on:
		return Probing
	}
	return Sending
}
