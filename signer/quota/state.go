package quota

import "time"

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
	Phase    Phase
	Scale    float64 // s: what the controller believes of the quota, 0.02..1
	Rate     float64 // units per second of this replica
	Replicas int
	Quota    Units

	Waiting  int
	InFlight int
	Limit    int // calls that may be in flight

	Sent      int64 // calls
	Accepted  int64
	Throttled int64
	Failed    int64
	Used      int64         // units sent
	Waited    time.Duration // time that sent calls waited, in all
}

// Change is a change of the controller's mind.
type Change struct {
	Why   string // "trickle", "run", "pause ended", "climb", ...
	Phase Phase
	Scale float64
	Rate  float64 // units per second of this replica
}
