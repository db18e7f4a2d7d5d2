package quotabench

import (
	"math"
	"time"
)

// outcome is what a run left behind at one vault.
type outcome struct {
	arrived  Ledger
	quota    Quota
	phase    time.Duration
	replicas []int
}

// aligned returns the first edge of a window at or after a moment.
func (o outcome) aligned(at time.Duration) time.Duration {
	return at + (o.phase-at%Window+Window)%Window
}

// figures are what the tables show. NaN: not measured.
type figures struct {
	goodput   float64 // percent of the quota
	throttled float64 // percent of the calls
	jain      float64 // median over spans of 60 s, unless the scenario says otherwise
	refused   float64 // 429s after an event
	settled   float64 // seconds from an event until the goodput stays above 95 %
}

// nothing is the start of all figures.
func nothing() figures {
	return figures{math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN()}
}

// span measures goodput and throttling.
func (o outcome) span(from, to time.Duration) figures {
	f := nothing()
	f.goodput = o.arrived.Goodput(o.quota, from, to)
	f.throttled = o.arrived.Between(from, to).Throttled()
	return f
}

func (o outcome) jain(span, from, to time.Duration) float64 {
	return o.arrived.Jain(o.replicas, span, from, to)
}

func (f figures) with(jain float64) figures {
	f.jain = jain
	return f
}

// steady is in seconds, and infinite for never.
func (o outcome) steady(from, to time.Duration) float64 {
	d := o.arrived.Steady(o.quota, 95, from, to)
	if d == math.MaxInt64 {
		return math.Inf(1)
	}
	return d.Seconds()
}

// reduce makes one figure of several, field by field. high is how those are
// reduced for which more is worse, low the others.
func reduce(all []figures, low, high func([]float64) float64) figures {
	of := func(field func(figures) float64, f func([]float64) float64) float64 {
		var values []float64
		for _, one := range all {
			values = append(values, field(one))
		}
		return f(values)
	}
	return figures{
		goodput:   of(func(f figures) float64 { return f.goodput }, low),
		throttled: of(func(f figures) float64 { return f.throttled }, high),
		jain:      of(func(f figures) float64 { return f.jain }, low),
		refused:   of(func(f figures) float64 { return f.refused }, high),
		settled:   of(func(f figures) float64 { return f.settled }, high),
	}
}
