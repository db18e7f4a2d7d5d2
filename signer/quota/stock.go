package quota

import (
	"math"
	"slices"
)

const (
	mostWanted  = 200 // costs named in one ask
	mostDone    = 4096
	lateness    = 0.03 // s after which a unit that was granted is late
	staleProbe  = 1    // s after which a probe that was granted is lost
	overdue     = 0.01 // s after which what is left of a stretch is no longer kept for cheap calls
	askPatience = 2    // s for an answer
	askPause    = 1    // s after an error
)

// stretch is a part of the fleet's one sequence of sends. The next call may
// leave at start + used/rate.
type stretch struct {
	granted           float64
	start, rate, used float64
	left              Units
	probe             bool
}

func (s *stretch) next() float64 { return s.start + s.used/s.rate }

// late returns the units whose time is past. None is late before it was granted.
func (s *stretch) late(now float64) Units {
	past := now - lateness
	if s.probe || past <= s.granted {
		return 0
	}
	return min(s.left, Units(max(0, (past-s.next())*s.rate)))
}

// stock is what a gate with slots has in hand.
type stock struct {
	epoch     uint64
	stretches []stretch // in the order of their grants
	granted   Units     // by the last grant that gave anything
	dearest   Units     // call of the last question
	asking    bool
	askAt     float64 // the source wants no question before
	started   bool    // the two goroutines run
	done      []Done  // rides on the next ask
	sent      []float64
	urgent    []Done
	urgentAt  []float64
	ask       chan struct{} // wakes the goroutine that asks
	report    chan struct{} // wakes the one that reports
}

func newStock() stock {
	return stock{ask: make(chan struct{}, 1), report: make(chan struct{}, 1)}
}

// void drops all grants of epochs before this one.
func (s *stock) void(epoch uint64) {
	if epoch > s.epoch {
		s.epoch, s.stretches, s.askAt = epoch, s.stretches[:0], 0
	}
}

// tidy drops what is used up or late: sent now, it would come on top of what
// others send. A rest that is too small for a call is kept for the next.
func (s *stock) tidy(now float64) {
	rest := max(0, s.dearest-1)
	for i := range s.stretches {
		x := &s.stretches[len(s.stretches)-1-i]
		late := x.late(now)
		lost := max(0, late-rest)
		x.pay(lost)
		rest -= late - lost
	}
	s.stretches = slices.DeleteFunc(s.stretches, func(x stretch) bool {
		return x.left == 0 || x.probe && now > x.granted+staleProbe
	})
}

// find returns the stretches that a call uses, from first to last, and leaves
// in the last of: one with room for it, so that cheap calls have what is left
// of the others. But what no cheap call took in time would be lost. Then, and
// where none has room, it is all that it uses up together, from the oldest on.
func (s *stock) find(now float64, cost Units) (first, last int, ok bool) {
	for i, x := range s.stretches {
		if x.left >= cost || x.probe && x.left > 0 {
			return i, i, true
		}
		if x.left > 0 && x.next() < now-overdue {
			break
		}
	}
	for i, x := range s.stretches {
		if x.probe && x.left > 0 {
			return i, i, true
		}
		if cost -= x.left; cost <= 0 {
			return 0, i, true
		}
	}
	return 0, 0, false
}

// wait returns how long a call must wait. It is long if nothing is in hand for
// it: the next grant ends the wait.
func (s *stock) wait(now float64, cost Units) float64 {
	s.tidy(now)
	if _, last, ok := s.find(now, cost); ok {
		return max(0, s.stretches[last].next()-now)
	}
	return longestSleep
}

// first is the dearest call that the first stretch has room for.
func (s *stock) first() Units {
	if len(s.stretches) == 0 {
		return 0
	}
	return s.stretches[0].most()
}

// most is the dearest call that there is room for.
func (s *stock) most() Units {
	for _, x := range s.stretches {
		if x.probe && x.left > 0 {
			return x.most()
		}
	}
	return s.left()
}

func (s *stretch) most() Units {
	if s.probe && s.left > 0 {
		return math.MaxInt
	}
	return s.left
}

// take pays for a call that goes now, where find found it a place.
func (s *stock) take(call *flight) {
	call.epoch = s.epoch
	first, last, _ := s.find(call.sent, call.cost)
	x := &s.stretches[last]
	if call.probe = x.probe; x.probe {
		x.left = 0
		return
	}
	for due := call.cost; due > 0; first++ {
		due -= s.stretches[first].pay(due)
	}
}

// pay takes up to due out of a stretch, and returns how much it was.
func (s *stretch) pay(due Units) Units {
	part := min(due, s.left)
	s.left -= part
	s.used += float64(part)
	return part
}

// left is the sum of what is in hand.
func (s *stock) left() Units {
	var sum Units
	for _, x := range s.stretches {
		sum += x.left
	}
	return sum
}

// short reports whether it is time to ask again for calls of so many units.
func (s *stock) short(waiting Units) bool {
	left := s.left()
	return left < waiting && left <= s.granted/3
}

// add takes in a grant. One of an epoch that has passed is dropped.
func (s *stock) add(now float64, g Grant) {
	stale := g.Epoch < s.epoch
	if !stale {
		s.void(g.Epoch)
	}
	if stale || g.Units <= 0 || g.Rate <= 0 {
		s.askAt = now + max(g.Again.Seconds(), 0.001)
		return
	}
	s.askAt, s.granted = 0, g.Units
	at := now - g.Late.Seconds()
	s.stretches = append(s.stretches, stretch{granted: at, start: at + g.After.Seconds(), rate: g.Rate, left: g.Units, probe: g.Probe})
}

// end takes in the end of a call.
func (s *stock) end(call flight, r Result) {
	d := Done{Result: r, Cost: call.cost, Epoch: call.epoch, Probe: call.probe}
	if r.Outcome == Throttled || call.probe {
		s.urgent, s.urgentAt = append(s.urgent, d), append(s.urgentAt, call.sent)
		signal(s.report)
		return
	}
	if len(s.done) < mostDone {
		s.done, s.sent = append(s.done, d), append(s.sent, call.sent)
	}
}

// aged returns done with the age of each call.
func aged(done []Done, sent []float64, now float64) []Done {
	for i := range done {
		done[i].Age = seconds(now - sent[i])
	}
	return done
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
