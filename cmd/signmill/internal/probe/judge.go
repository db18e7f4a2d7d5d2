package probe

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/signer/quota"
)

// Answer is yes, no, or that a trace does not show it.
type Answer string

// The answers.
const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Unknown Answer = "unknown"
)

// Verdict is what a trace shows.
type Verdict struct {
	First   quota.Units   // accepted in the burst
	Refused bool          // something was refused; otherwise nothing below is known
	Silence time.Duration // the longest time in which everything was refused
	Again   time.Duration // after the burst's first call; zero: not within the probe
	Window  string        // the name of the model that fits; "": none does
	Others  []string      // names that fit as well, or nearly
	Differs float64       // the part of the calls that Window does not explain
	Charged Answer        // whether refused calls count
	Several bool          // several counters seem to share the work
	Quota   quota.Units   // in 10 s, the least of those that fit; zero: not known
}

// Bounds of judging.
const (
	closeBurst = 3     // calls of the burst that networks put out of order, at least
	closePart  = 0.002 // the same, as a part of the burst
	closeRest  = 1     // calls after the burst that fell on the edge of a window
	badFit     = 0.05  // the part of the calls beyond which a model is wrong
	otherQuota = 0.95  // below this part of the quota, another model has one of its own
	spread     = 0.01  // the part of the quota that several counters let through late
)

// Judge finds what a trace shows.
func (t Trace) Judge() Verdict {
	v := Verdict{Charged: Unknown, First: t.taken()}
	if t.Count(Refused) == 0 {
		return v
	}
	s := t.silence()
	v.Refused, v.Silence, v.Again = true, s.Last-s.First, s.Again
	if s.Again == 0 {
		return v
	}
	fits := t.fits(s)
	best := fits[0]
	v.Differs = float64(best.differs.total()) / float64(len(t.Calls))
	v.Several = best.model.Depth == 0 && t.late(s) > spread*best.quota
	if v.Differs > badFit && !v.Several {
		return v
	}
	v.Window, v.Quota = best.model.Name, quota.Units(math.Round(best.quota))
	v.Charged = charged(fits)
	for _, f := range fits[1:] {
		if f.quota < otherQuota*best.quota {
			v.Quota = min(v.Quota, quota.Units(math.Round(f.quota)))
		}
		if f.model.Name != v.Window && !slices.Contains(v.Others, f.model.Name) {
			v.Others = append(v.Others, f.model.Name)
		}
	}
	return v
}

// fit is how well a model explains a trace.
type fit struct {
	model   model
	quota   float64
	differs mismatch
}

// fits returns the models that explain a trace about equally well. The first is
// the one with the least freedom.
func (t Trace) fits(s silence) []fit {
	var all []fit
	for _, m := range models() {
		all = append(all, t.fit(m, s))
	}
	best := slices.MinFunc(all, func(a, b fit) int { return cmp.Compare(a.differs.weight(), b.differs.weight()) })
	slack := max(closeBurst, int(closePart*float64(t.Burst)))
	return slices.DeleteFunc(all, func(f fit) bool {
		return f.differs.burst > best.differs.burst+slack || f.differs.rest > best.differs.rest+closeRest
	})
}

// fit tries a model with the quota that it must have had. A window accepts just
// that. With a bucket it hangs on when the first call was refused, which is not
// certain where calls overtake each other; there its neighbours are tried, too.
func (t Trace) fit(m model, s silence) fit {
	about := m.quotaOf(t, s)
	best := fit{model: m, quota: about, differs: m.differs(t, s, about)}
	for percent := -5.0; m.Depth > 0 && percent <= 5; percent += 0.25 {
		q := about * (1 + percent/100)
		if d := m.differs(t, s, q); d.weight() < best.differs.weight() {
			best = fit{m, q, d}
		}
	}
	return best
}

// charged tells whether refused calls count with the window that fits. One that
// starts from nothing does not show it.
func charged(fits []fit) Answer {
	first := fits[0].model
	if !first.Log && first.Depth == 0 {
		return Unknown
	}
	for _, f := range fits {
		if f.model.Name == first.Name && f.model.Charged != first.Charged {
			return Unknown
		}
	}
	if first.Charged {
		return Yes
	}
	return No
}

// late counts the units that the burst got after its first refusal, without
// calls that may have overtaken each other. One counter gives none.
func (t Trace) late(s silence) float64 {
	return float64(t.accepted(t.firstRefusal()+t.jitter(), s.First))
}

// Advice returns the quota to give to workers, given the one that was assumed;
// zero when the trace does not show one.
func (v Verdict) Advice(assumed quota.Units) quota.Units {
	switch {
	case !v.Refused || v.Quota == 0:
		return 0
	case math.Abs(float64(v.Quota-assumed)) <= 0.015*float64(assumed):
		return assumed
	}
	return v.Quota
}

// Evidence is what the verdict on t rests on, one fact in each line.
func (v Verdict) Evidence(t Trace) []string {
	facts := []string{fmt.Sprintf("%s of the burst's %s units were accepted", display.Grouped(int64(v.First)), display.Grouped(int64(t.Burst)*int64(t.Cost)))}
	if !v.Refused {
		return append(facts, "nothing was refused: the quota is larger than the burst, or a window began in the middle of it")
	}
	facts = append(facts, fmt.Sprintf("the longest time without an accepted call was %s", v.Silence.Round(10*time.Millisecond)))
	if v.Again == 0 {
		return append(facts, "no call was accepted again: the window is longer than the probe, or others use the vault")
	}
	facts = append(facts, fmt.Sprintf("a call was accepted again %s after the burst began", v.Again.Round(10*time.Millisecond)))
	if v.Window == "" {
		return append(facts, "no model explains the answers: others may use the vault")
	}
	facts = append(facts, fmt.Sprintf("the model explains %.1f %% of %s calls", 100*(1-v.Differs), display.Grouped(int64(len(t.Calls)))))
	if v.Several {
		facts = append(facts, "calls were still accepted well after the first refusal, as if several nodes counted apart")
	}
	return facts
}
