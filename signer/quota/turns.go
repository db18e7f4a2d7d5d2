package quota

import (
	"math"
	"slices"
)

// turns is all that waits at a gate: lanes by weight, in them jobs in turn.
type turns struct {
	lanes map[string]*lane
	order []*lane // by name, so that equal clocks are decided alike everywhere
	now   float64 // clock of the lane that went last
	count uint64
	len   int
	units Units // of all that waits
}

func newTurns(lanes map[string]Lane) *turns {
	t := &turns{lanes: map[string]*lane{}}
	weights := weigh(lanes)
	names := make([]string, 0, len(weights))
	for name := range weights {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		l := newLane(weights[name])
		t.lanes[name] = l
		t.order = append(t.order, l)
	}
	return t
}

// weigh returns each lane's part of the budget while all have work. Lanes whose
// weight gives less than their floor get the floor, and the others share the
// rest by weight.
func weigh(lanes map[string]Lane) map[string]float64 {
	parts := map[string]float64{}
	open := map[string]float64{"": 1}
	for name, l := range lanes {
		open[name] = l.weight()
	}
	left := 1.0
	for again := true; again; {
		again = false
		sum := 0.0
		for _, w := range open {
			sum += w
		}
		for name, w := range open {
			if floor := lanes[name].Floor; w/sum*left < floor {
				parts[name] = floor
				left -= floor
				delete(open, name)
				again = true
				break
			}
		}
		if !again {
			for name, w := range open {
				parts[name] = w / sum * left
			}
		}
	}
	return parts
}

func (l Lane) weight() float64 {
	if l.Weight == 0 {
		return 1
	}
	return l.Weight
}

// add puts w where the caller's turns are.
func (t *turns) add(w *waiter, c Caller) {
	l := t.lane(c.Lane)
	if l.len == 0 {
		l.clock = max(l.clock, t.now)
	}
	t.count++
	l.add(w, c.Job, t.count)
	t.len++
	t.units += w.cost
}

func (t *turns) lane(name string) *lane {
	if l := t.lanes[name]; l != nil {
		return l
	}
	return t.lanes[""]
}

func (t *turns) remove(w *waiter) {
	w.lane.remove(w)
	t.len--
	t.units -= w.cost
}

// next returns the waiter whose turn it is among those that cost no more than
// most. It is nil if there is none, or none but retries that are not due.
func (t *turns) next(now float64, most Units) *waiter {
	var best *waiter
	for _, l := range t.order {
		if l.len == 0 || best != nil && best.lane.clock <= l.clock {
			continue
		}
		if w := l.next(now, most); w != nil {
			best = w
		}
	}
	return best
}

// take removes w because its turn has come.
func (t *turns) take(w *waiter) {
	t.now = max(t.now, w.lane.clock)
	w.lane.charge(w)
	t.remove(w)
}

// due returns when the next retry is due, and +Inf if none will be.
func (t *turns) due(now float64) float64 {
	first := math.Inf(1)
	for _, l := range t.order {
		for w := l.retries.first; w != nil; w = w.next {
			if w.notBefore > now {
				first = min(first, w.notBefore)
			}
		}
	}
	return first
}

// ahead estimates the units that go before a call of this caller, from below:
// each other job gets as much meanwhile as the call's own, if it has as much.
func (t *turns) ahead(c Caller, cost Units) float64 {
	own := t.lane(c.Lane)
	inLane := own.ahead(jobKey{c.Job, cost})
	until := max(own.clock, t.now) + inLane/own.weight
	sum := inLane
	for _, l := range t.order {
		if l != own && l.len > 0 {
			sum += min(l.units(), max(0, until-l.clock)*l.weight)
		}
	}
	return sum
}

func (l *lane) ahead(key jobKey) float64 {
	until, sum := l.now, 0.0
	if j := l.jobs[key]; j != nil {
		until = max(until, j.clock) + float64(j.units)
		sum = float64(j.units)
	}
	for _, j := range l.waiting {
		if j.key != key {
			sum += min(float64(j.units), max(0, until-j.clock))
		}
	}
	return sum
}

// units returns what waits in the lane, retries left out.
func (l *lane) units() float64 {
	var sum Units
	for _, j := range l.waiting {
		sum += j.units
	}
	return float64(sum)
}

// costs lists what waits beyond the first skip units, at most n costs. It
// starts with the calls whose turn is next; after these the order is not that
// of the turns, which only the sum depends on.
func (t *turns) costs(skip Units, n int) []Units {
	var costs []Units
	add := func(cost Units) bool {
		if skip >= cost {
			skip -= cost
		} else {
			costs = append(costs, cost)
		}
		return len(costs) < n
	}
	for _, l := range t.order {
		for w := l.retries.first; w != nil; w = w.next {
			if !add(w.cost) {
				return costs
			}
		}
	}
	for _, l := range t.order {
		for _, j := range l.waiting {
			for range j.queue.len {
				if !add(j.key.cost) {
					return costs
				}
			}
		}
	}
	return costs
}

// all returns everything that waits.
func (t *turns) all() []*waiter {
	all := make([]*waiter, 0, t.len)
	for _, l := range t.order {
		for w := l.retries.first; w != nil; w = w.next {
			all = append(all, w)
		}
		for _, j := range l.waiting {
			for w := j.queue.first; w != nil; w = w.next {
				all = append(all, w)
			}
		}
	}
	return all
}
