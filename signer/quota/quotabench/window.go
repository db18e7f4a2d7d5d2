package quotabench

import (
	"math/rand/v2"
	"time"
)

// fixed counts in windows that follow each other at phase + n x Window.
type fixed struct {
	quota Quota
	phase time.Duration
	index time.Duration // of the running window
	used  float64
}

// Admit implements Model.
func (f *fixed) Admit(at time.Duration, cost float64) (bool, time.Duration) {
	since := at + Window - f.phase // never negative
	if index := since / Window; index != f.index {
		f.index, f.used = index, 0
	}
	if f.used+cost > f.quota(at) {
		return false, Window - since%Window
	}
	f.used += cost
	return true, 0
}

// firstCall counts in a window that a call opens when none is open.
type firstCall struct {
	quota Quota
	start time.Duration
	used  float64
}

// Admit implements Model.
func (f *firstCall) Admit(at time.Duration, cost float64) (bool, time.Duration) {
	if at >= f.start+Window {
		f.start, f.used = at, 0
	}
	if f.used+cost > f.quota(at) {
		return false, f.start + Window - at
	}
	f.used += cost
	return true, 0
}

// nodes spreads calls at random over fixed windows of a quarter each.
type nodes struct {
	windows [4]fixed
	random  *rand.Rand
}

func newNodes(quota Quota, phase time.Duration, random *rand.Rand) *nodes {
	n := &nodes{random: random}
	for i := range n.windows {
		quarter := func(at time.Duration) float64 { return quota(at) / float64(len(n.windows)) }
		n.windows[i] = fixed{quota: quarter, phase: phase}
	}
	return n
}

// Admit implements Model.
func (n *nodes) Admit(at time.Duration, cost float64) (bool, time.Duration) {
	return n.windows[n.random.IntN(len(n.windows))].Admit(at, cost)
}
