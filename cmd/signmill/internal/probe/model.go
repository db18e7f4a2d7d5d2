package probe

import (
	"math"
	"time"
)

// model is one idea of how a vault counts. A trace is played to it, and
// the idea whose answers differ least from the vault's is the best.
type model struct {
	Name    string
	Charged bool    // refused calls count, too
	Depth   float64 // of a bucket, in quotas; 0: not a bucket
	Log     bool    // looks back over the last window at every moment
	Opens   bool    // the window begins with the first call after the last one ended
}

// models are the ideas, those with the least freedom first: a fixed window
// may begin at any time, and so explains what others explain better.
func models() []model {
	return []model{
		{Name: slidingName, Log: true},
		{Name: slidingName, Log: true, Charged: true},
		{Name: "a window that the first call opens", Opens: true},
		{Name: bucketName, Depth: 1},
		{Name: bucketName, Depth: 1, Charged: true},
		{Name: smallBucketName, Depth: 0.1},
		{Name: smallBucketName, Depth: 0.1, Charged: true},
		{Name: fixedName},
	}
}

// Names of models.
const (
	slidingName     = "a sliding window"
	bucketName      = "a bucket that holds the quota of 10 s"
	smallBucketName = "a bucket that holds the quota of 1 s"
	fixedName       = "a fixed window"
)

// Window is the documented window.
const Window = 10 * time.Second

// quotaOf works out the quota that a model must have had to accept what was
// accepted before the silence.
func (m model) quotaOf(t Trace, s silence) float64 {
	switch {
	case m.Depth > 0:
		// Until its first refusal a bucket gives what it holds and what flows in.
		first := t.firstRefusal()
		return float64(t.accepted(0, first)) / (m.Depth + first.Seconds()/Window.Seconds())
	case m.Name == fixedName && s.Again > 0:
		return float64(t.accepted(m.boundary(s)-Window, m.boundary(s)))
	}
	return float64(t.accepted(s.First-Window, s.First))
}

// firstRefusal returns when the first refused call was sent.
func (t Trace) firstRefusal() time.Duration {
	for _, c := range t.Calls {
		if c.Outcome == Refused {
			return c.Sent
		}
	}
	return 0
}

// boundary is when a fixed window began again.
func (m model) boundary(s silence) time.Duration { return s.Last + (s.Again-s.Last)/2 }

// mismatch is how many calls a model would have answered otherwise.
type mismatch struct{ burst, rest int }

func (m mismatch) total() int { return m.burst + m.rest }

// weight counts what follows the burst for more, since nothing is out of order
// there.
func (m mismatch) weight() int { return m.burst + 10*m.rest }

// differs compares the model's answers with the vault's. In the burst, where
// calls overtake each other, it compares how many of about as many as were under
// way were accepted.
func (m model) differs(t Trace, s silence, quota float64) (d mismatch) {
	admit := m.admit(s, quota)
	handful := max(1, t.Burst/100, min(t.Flight, t.Burst/4))
	excess := 0 // accepted by the model and not by the vault, less the converse
	for i, c := range t.Calls {
		if c.Outcome != Failed {
			if admit(c.Sent.Seconds(), float64(t.Cost)) {
				excess++
			}
			if c.Outcome == Accepted {
				excess--
			}
		}
		switch {
		case i >= t.Burst:
			d.rest += abs(excess)
			excess = 0
		case (i+1)%handful == 0 || i == t.Burst-1:
			d.burst += abs(excess)
			excess = 0
		}
	}
	return d
}

func abs(n int) int { return max(n, -n) }

// admit returns the model's answer to a call at a time, in seconds.
func (m model) admit(s silence, quota float64) func(at, cost float64) bool {
	switch {
	case m.Depth > 0:
		return m.bucket(quota)
	case m.Log:
		return m.sliding(quota)
	case m.Opens:
		return windows(quota, func(at, start float64) float64 {
			if at >= start+Window.Seconds() {
				return at
			}
			return start
		})
	}
	phase := m.boundary(s).Seconds()
	return windows(quota, func(at, _ float64) float64 {
		return phase + math.Floor((at-phase)/Window.Seconds())*Window.Seconds()
	})
}

// windows count from nothing whenever begun returns another start.
func windows(quota float64, begun func(at, start float64) float64) func(at, cost float64) bool {
	start, used := math.Inf(-1), 0.0
	return func(at, cost float64) bool {
		if now := begun(at, start); now != start {
			start, used = now, 0
		}
		if used+cost > quota {
			return false
		}
		used += cost
		return true
	}
}

func (m model) sliding(quota float64) func(at, cost float64) bool {
	type expense struct{ at, cost float64 }
	var log []expense
	used := 0.0
	return func(at, cost float64) bool {
		for len(log) > 0 && log[0].at <= at-Window.Seconds() {
			used -= log[0].cost
			log = log[1:]
		}
		ok := used+cost <= quota
		if ok || m.Charged {
			log = append(log, expense{at, cost})
			used += cost
		}
		return ok
	}
}

func (m model) bucket(quota float64) func(at, cost float64) bool {
	depth := m.Depth * quota
	tokens, last := depth, 0.0
	return func(at, cost float64) bool {
		tokens, last = min(depth, tokens+(at-last)*quota/Window.Seconds()), at
		ok := tokens >= cost
		if ok || m.Charged {
			tokens = max(-depth, tokens-cost)
		}
		return ok
	}
}
