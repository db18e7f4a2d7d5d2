package status

import (
	"math"
	"time"

	"github.com/signmill/signmill/worker"
)

// Backlog is what waits on a job queue: an estimate, and so is all that follows
// from it.
type Backlog struct {
	Known    bool    `json:"known"`
	Why      string  `json:"why,omitempty"` // it is not known, and what to do
	Jobs     int64   `json:"jobs"`
	Items    float64 `json:"items"`      // at the size of the last jobs; 0: not known
	Replicas int     `json:"replicas"`   // that work at the rate of this one, as the estimate assumes
	ETA      float64 `json:"etaSeconds"` // until it is done, if no more come; -1: not known
}

// mostETA bounds what is told: no rate of a minute says what is in a month.
const mostETA = 30 * 24 * time.Hour

// estimate makes a backlog of what was seen, and of what the worker has done since.
func estimate(seen look, s worker.QueueState, rate float64, replicas int) Backlog {
	b := Backlog{Replicas: replicas, ETA: -1}
	switch {
	case seen.at.IsZero():
		b.Why = "nobody has looked yet"
		return b
	case seen.err != nil:
		b.Why = unknown(seen.err)
		return b
	}
	b.Known, b.Jobs = true, seen.jobs(s.Latest)
	b.Items = math.Ceil(float64(b.Jobs) * s.JobItems)
	switch {
	case b.Jobs == 0:
		b.ETA = 0
	case b.Items > 0 && rate > 0:
		b.ETA = min(b.Items/(rate*float64(replicas)), mostETA.Seconds())
	}
	return b
}
