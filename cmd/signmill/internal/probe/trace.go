package probe

import (
	"cmp"
	"slices"
	"time"

	"github.com/signmill/signmill/signer/quota"
)

// Outcome is how the vault answered one call.
type Outcome int

// The outcomes.
const (
	Failed Outcome = iota // no answer, or 5xx; says nothing about the quota
	Accepted
	Refused // 429
)

// Call is one call of a probe.
type Call struct {
	Sent       time.Duration // since the burst began
	Took       time.Duration
	Outcome    Outcome
	RetryAfter time.Duration // with a refusal; zero: the vault gave none
}

// Trace is all that a probe has seen, in the order of sending.
type Trace struct {
	Calls  []Call
	Burst  int         // the first calls, sent as fast as they go; the others follow at a steady pace
	Flight int         // calls of the burst under way at once, which may overtake each other
	Cost   quota.Units // of each call
}

// Count is how many calls had an outcome.
func (t Trace) Count(o Outcome) int {
	n := 0
	for _, c := range t.Calls {
		if c.Outcome == o {
			n++
		}
	}
	return n
}

// taken counts the units of the burst that were accepted.
func (t Trace) taken() quota.Units {
	burst := Trace{Calls: t.Calls[:t.Burst]}
	return t.Cost * quota.Units(burst.Count(Accepted))
}

// silence is the longest time in which the vault refused everything.
type silence struct {
	First, Last time.Duration // the refused calls that begin and end it
	Again       time.Duration // the first call that was accepted after it; zero: none was
}

// silence finds the longest run of refusals. It is the zero value when there
// are none.
func (t Trace) silence() silence {
	var longest, run silence
	open := false
	end := func(again time.Duration) {
		run.Again = again
		if open && (longest == silence{} || run.Last-run.First > longest.Last-longest.First) {
			longest = run
		}
		open = false
	}
	for _, c := range t.Calls {
		switch c.Outcome {
		case Accepted:
			end(c.Sent)
		case Refused:
			if !open {
				run = silence{First: c.Sent}
				open = true
			}
			run.Last = c.Sent
		}
	}
	end(0)
	return longest
}

// accepted counts the units that were accepted of calls sent in a span.
func (t Trace) accepted(from, to time.Duration) quota.Units {
	var sum quota.Units
	for _, c := range t.Calls {
		if c.Outcome == Accepted && c.Sent >= from && c.Sent < to {
			sum += t.Cost
		}
	}
	return sum
}

// Latency returns the quantile q, from 0 to 1, of the time that calls with an
// outcome took, and zero when there are none.
func (t Trace) Latency(o Outcome, q float64) time.Duration {
	var took []time.Duration
	for _, c := range t.Calls {
		if c.Outcome == o {
			took = append(took, c.Took)
		}
	}
	return quantile(took, q)
}

// jitter is by how much calls of the burst may overtake each other. Refused calls
// count, too: of calls that were sent together those that arrived first were
// accepted, and took the least time.
func (t Trace) jitter() time.Duration {
	var took []time.Duration
	for _, c := range t.Calls[:t.Burst] {
		if c.Outcome != Failed {
			took = append(took, c.Took)
		}
	}
	return quantile(took, 0.9) - quantile(took, 0.1)
}

// quantile sorts spans and returns their quantile q; zero when there are none.
func quantile(spans []time.Duration, q float64) time.Duration {
	if len(spans) == 0 {
		return 0
	}
	slices.Sort(spans)
	return spans[int(q*float64(len(spans)-1))]
}

// Hints returns the least and the most that refusals asked to wait, and how
// many asked.
func (t Trace) Hints() (n int, least, most time.Duration) {
	for _, c := range t.Calls {
		if c.Outcome != Refused || c.RetryAfter == 0 {
			continue
		}
		if n == 0 || c.RetryAfter < least {
			least = c.RetryAfter
		}
		most = max(most, c.RetryAfter)
		n++
	}
	return n, least, most
}

// sort puts the calls into the order of sending.
func (t Trace) sort() {
	slices.SortStableFunc(t.Calls, func(a, b Call) int { return cmp.Compare(a.Sent, b.Sent) })
}
