package deadletter

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/signmill/signmill/queue"
)

// aside holds the dead letters that a sweep received and is not to touch, under
// their locks, so that they do not come again before it is over. Then they are
// given back: each has lost one delivery at most, which costs a dead letter
// nothing.
type aside struct {
	most int // that are held; never changes

	mu    sync.Mutex // guards the fields below
	held  map[int64]*queue.Delivery
	bytes int
	every time.Duration // between two renewals: a third of the shortest lock seen

	stop    context.CancelFunc
	renewal sync.WaitGroup
}

// Bounds of what is held, because it is in memory.
const (
	maxAside      = 1000
	maxAsideBytes = 128 << 20
)

// newAside renews the locks of what it is given until giveBack, or ctx ends.
func newAside(ctx context.Context, most int) *aside {
	ctx, stop := context.WithCancel(ctx)
	a := &aside{most: most, held: map[int64]*queue.Delivery{}, every: renewLatest, stop: stop}
	a.renewal.Go(func() { a.renew(ctx) })
	return a
}

// Add holds deliveries, and fails when there is no more place.
func (a *aside) add(deliveries ...*queue.Delivery) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, d := range deliveries {
		if again := a.held[d.SequenceNumber]; again != nil { // its lock was lost
			a.bytes -= len(again.Body)
		}
		a.held[d.SequenceNumber] = d
		a.bytes += len(d.Body)
		a.every = min(a.every, max(time.Until(d.LockedUntil)/3, time.Second))
	}
	if len(a.held) > a.most || a.bytes > maxAsideBytes {
		return fmt.Errorf("%d others stand in front, more than can be held aside: first replay or purge some of those, or leave the filter out", len(a.held))
	}
	return nil
}

// all returns what is held.
func (a *aside) all() (all []*queue.Delivery) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, d := range a.held {
		all = append(all, d)
	}
	return all
}

// The time between two looks at what is to be renewed, and between two renewals
// at most.
const (
	renewLook   = time.Second
	renewLatest = 10 * time.Second
)

// renew keeps the locks. One that is lost all the same comes again.
func (a *aside) renew(ctx context.Context) {
	tick := time.NewTicker(renewLook)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if time.Since(last) < a.pause() {
			continue
		}
		last = time.Now()
		eachOf(a.all(), func(d *queue.Delivery) { _, _ = d.Renew(ctx) })
	}
}

func (a *aside) pause() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.every
}

// giveBackTimeout bounds the end of a sweep.
const giveBackTimeout = 5 * time.Second

// giveBack gives all back, unless ctx has ended. It is called once.
func (a *aside) giveBack(ctx context.Context) {
	a.stop()
	a.renewal.Wait()
	ctx, cancel := context.WithTimeout(ctx, giveBackTimeout)
	defer cancel()
	eachOf(a.all(), func(d *queue.Delivery) { _ = d.Abandon(ctx) }) // or its lock runs out
}

// eachAtOnce bounds settlements and renewals under way.
const eachAtOnce = 32

// eachOf does something with each delivery, some at a time, and waits.
func eachOf(deliveries []*queue.Delivery, do func(*queue.Delivery)) {
	places := make(chan struct{}, eachAtOnce) // one token for each under way
	var running sync.WaitGroup
	for _, d := range deliveries {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			do(d)
		})
	}
	running.Wait()
}
