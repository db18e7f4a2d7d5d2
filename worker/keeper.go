package worker

import (
	"container/heap"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/signmill/signmill/queue"
)

// keeper renews the locks of all deliveries held, also while the worker
// drains. One goroutine with one timer looks after them all; what is due is
// renewed beside it, a few at a time.
type keeper struct {
	wake     chan struct{}  // tells run to look again; capacity 1, never closed
	renewals sync.WaitGroup // under way
	meter    meter
	margin   func(context.Context, time.Duration) // told what was left of a lock

	mu       sync.Mutex // guards the fields below, and those of each kept
	due      dueHeap
	underWay int       // renewals
	armed    time.Time // when run looks again at the latest
}

// kept is a delivery whose lock is renewed.
type kept struct {
	delivery *queue.Delivery
	lose     context.CancelCauseFunc
	every    time.Duration // between two renewals
	since    time.Time     // when the lock began
	at       time.Time     // of the next one
	index    int           // in the heap; -1: it is being renewed, or not kept any more
	gone     bool          // not kept any more
}

const (
	renewalsAtOnce = 16
	renewalTime    = 5 * time.Second // for one attempt, where a third of the lock is shorter
	renewalRetry   = time.Second     // after an attempt that failed, at least
	asleep         = time.Hour       // when nothing is held
)

func newKeeper() *keeper {
	return &keeper{wake: make(chan struct{}, 1), meter: newMeter(), margin: func(context.Context, time.Duration) {}}
}

// keep renews the lock of d, which lasts that long, until letGo is called. The
// returned context ends with the cause queue.ErrLockLost when the broker says
// that the lock is gone.
func (k *keeper) keep(ctx context.Context, d *queue.Delivery, lock time.Duration) (held context.Context, letGo func()) {
	held, lose := context.WithCancelCause(ctx)
	e := &kept{delivery: d, lose: lose, every: lock / 3, since: time.Now()}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.schedule(e, e.every)
	return held, func() {
		lose(nil)
		k.mu.Lock()
		defer k.mu.Unlock()
		e.gone = true
		if e.index >= 0 {
			heap.Remove(&k.due, e.index)
		}
	}
}

// run renews until ctx ends, and waits for what is under way.
func (k *keeper) run(ctx context.Context) {
	timer := time.NewTimer(asleep)
	defer timer.Stop()
	for ctx.Err() == nil {
		timer.Reset(k.renewDue(ctx))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-k.wake:
		}
	}
	k.renewals.Wait()
}

// renewDue begins as many of the renewals that are due as there may be at once,
// and returns when to look again. The end of a renewal wakes run, too.
func (k *keeper) renewDue(ctx context.Context) time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	now, next := time.Now(), asleep
	for len(k.due) > 0 && k.underWay < renewalsAtOnce {
		if next = k.due[0].at.Sub(now); next > 0 {
			break
		}
		e := heap.Pop(&k.due).(*kept)
		k.underWay++
		k.renewals.Go(func() { k.renew(ctx, e) })
		next = asleep
	}
	k.armed = now.Add(next)
	return next
}

// renew extends one lock. A failure that may pass is tried again soon; only the
// broker decides that a lock is lost, since the clocks of the two may differ.
func (k *keeper) renew(ctx context.Context, e *kept) {
	ctx, cancel := context.WithTimeout(ctx, max(e.every, renewalTime))
	defer cancel()
	left := 3*e.every - time.Since(e.since)
	until, err := e.delivery.Renew(ctx)
	if errors.Is(err, queue.ErrLockLost) {
		e.lose(queue.ErrLockLost)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.underWay--
	switch {
	case e.gone || errors.Is(err, queue.ErrLockLost) || errors.Is(err, queue.ErrSettled):
	case err != nil:
		k.schedule(e, max(renewalRetry, e.every/4))
	default:
		k.margin(ctx, left)
		e.every, e.since = k.meter.measure(until, time.Now())/3, time.Now()
		k.schedule(e, e.every)
	}
	k.rouse()
}

// schedule plans the next renewal of e, at most that far away. Locks that began
// together are renewed one after the other. The lock is held.
func (k *keeper) schedule(e *kept, within time.Duration) {
	e.at = time.Now().Add(within - rand.N(within/8+1))
	heap.Push(&k.due, e)
	if e.index == 0 && e.at.Before(k.armed) {
		k.rouse()
	}
}

func (k *keeper) rouse() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// dueHeap has the delivery whose renewal is next at its root.
type dueHeap []*kept

// Len implements [heap.Interface].
func (h dueHeap) Len() int { return len(h) }

// Less implements [heap.Interface].
func (h dueHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }

// Swap implements [heap.Interface].
func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements [heap.Interface].
func (h *dueHeap) Push(x any) {
	e := x.(*kept)
	e.index = len(*h)
	*h = append(*h, e)
}

// Pop implements [heap.Interface].
func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	e.index = -1
	return e
}
