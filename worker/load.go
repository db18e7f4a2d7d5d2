package worker

import (
	"sync"
	"time"
)

// Pace knows how fast this replica may work. A quota.Gate is one.
type Pace interface {
	// Pace returns how many items this replica may do in a second. It may
	// change at any time. Zero: none at the moment. Infinite: there is no
	// rate to go by.
	Pace() float64
}

// load is what the deliveries held have still to do.
type load struct {
	eased   chan struct{} // tells the intake that there is less; capacity 1, never closed
	attempt time.Duration // for one attempt at a job

	mu   sync.Mutex // guards the fields below
	held map[*portion]bool
	done int64         // items that have an outcome
	mean float64       // items of a job, as seen lately; zero: none was seen yet
	lock time.Duration // of the delivery that came last, at most an attempt's time
}

// meanWeight is the part of the newest job in the mean.
const meanWeight = 0.1

func newLoad(attempt time.Duration) *load {
	return &load{eased: make(chan struct{}, 1), attempt: attempt, held: map[*portion]bool{}}
}

// passing is how many deliveries may be held whatever their size, if there is
// time for an item of each: a small job passes a big one that is more than a
// lock has time for.
const passing = 2

// room returns how many more deliveries can be done inside a lock, and inside
// the time for an attempt, at that many items per second. Jobs take turns, so
// that a big one delays another by no more items than that has itself. As long
// as the size of jobs is not known, one alone shows it.
func (l *load) room(pace float64) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mean == 0 {
		return max(0, 1-len(l.held))
	}
	most, before := pace*l.lock.Seconds(), 0.0
	for p := range l.held {
		before += min(float64(p.items), l.mean)
	}
	few := max(1, min(passing, int(most)))
	return max(0, few-len(l.held), int((most-before)/l.mean))
}

// add counts a delivery that came, whose lock lasts that long. Its size is a
// guess until is tells it.
func (l *load) add(lock time.Duration) *portion {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lock = min(lock, l.attempt)
	p := &portion{of: l, items: max(1, int(l.mean))}
	l.held[p] = true
	return p
}

// portion is a delivery's part of the load.
type portion struct {
	of    *load
	items int // guarded by of.mu
}

// is tells how many items the delivery has.
func (p *portion) is(items int) {
	p.set(func() int {
		if p.of.mean == 0 {
			p.of.mean = float64(items)
		}
		p.of.mean += meanWeight * (float64(items) - p.of.mean)
		return items
	})
}

// less counts an item that had its turn. Ended says that it has an outcome now;
// else another attempt may give it one.
func (p *portion) less(ended bool) {
	p.set(func() int {
		if ended {
			p.of.done++
		}
		return max(0, p.items-1)
	})
}

// drop counts all items as done, or as left to others.
func (p *portion) drop() {
	p.set(func() int {
		delete(p.of.held, p)
		return 0
	})
}

// set changes the items of p to what items returns, under the lock.
func (p *portion) set(items func() int) {
	p.of.mu.Lock()
	p.items = items()
	p.of.mu.Unlock()
	select {
	case p.of.eased <- struct{}{}:
	default:
	}
}
