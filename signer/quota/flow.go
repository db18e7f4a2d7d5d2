package quota

import "math"

const (
	flowSpan   = 3  // s that a flow looks back, with less and less weight
	firstParts = 20 // of the fleet's rate; a replica counts on one before it has had more
)

// flow tells how fast calls went lately, and what they cost.
type flow struct {
	calls, units float64 // each call counts less as it grows old
	at           float64 // when they were right
}

// add counts a call that goes now.
func (f *flow) add(now float64, cost Units) {
	f.calls, f.units = f.recent(now)+1, f.units*f.fading(now)+float64(cost)
	f.at = now
}

func (f *flow) fading(now float64) float64 { return math.Exp((f.at - now) / flowSpan) }

func (f *flow) recent(now float64) float64 { return f.calls * f.fading(now) }

// rate returns the calls in a second.
func (f *flow) rate(now float64) float64 { return f.recent(now) / flowSpan }

// mean returns what a call costs, and 1 before the first.
func (f *flow) mean() float64 {
	if f.calls == 0 {
		return 1
	}
	return f.units / f.calls
}

// slotPace estimates how many calls a second slots will allow: as many as went
// lately, since others have the rest. A replica that had little to do begins
// with a small part, or it would take a whole backlog from the others at once.
func (g *Gate) slotPace(now float64) float64 {
	equal := g.control.rate()
	first := equal * min(1, float64(g.part.Replicas)/firstParts)
	return max(g.flow.rate(now), first/g.flow.mean())
}
