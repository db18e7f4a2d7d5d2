package worker

import (
	"sync"
	"time"

	"github.com/signmill/signmill/queue"
)

// meter tells how long locks last. A broker names the time at which a lock ends
// by its own clock, which may be a minute off ours. What it says of when a
// message came gives the difference away: it was not later than now, and on a
// queue without backlog it was now.
type meter struct {
	mu     sync.Mutex    // guards the fields below
	ahead  time.Duration // of our clock is the broker's, at least: as seen in this stretch
	before time.Duration // likewise in the one before
	since  time.Time     // when this stretch began
}

const (
	stretch  = 10 * time.Minute // after two of which a difference is forgotten
	farBack  = -1 << 62         // no difference was seen
	agreeing = 2 * time.Second  // clocks that differ by less are taken as one

	minLock     = 5 * time.Second // Service Bus allows no shorter one
	maxLock     = 5 * time.Minute // and no longer one
	cautiousMax = 30 * time.Second
)

func newMeter() meter { return meter{ahead: farBack, before: farBack} }

// receive learns from a delivery that just came, and returns how long its lock
// lasts.
func (m *meter) receive(d *queue.Delivery, now time.Time) time.Duration {
	if !d.EnqueuedAt.IsZero() {
		m.learn(d.EnqueuedAt.Sub(now), now)
	}
	return m.measure(d.LockedUntil, now)
}

func (m *meter) learn(ahead time.Duration, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Sub(m.since) > stretch {
		m.since, m.before, m.ahead = now, m.ahead, farBack
	}
	m.ahead = max(m.ahead, ahead)
}

// measure returns how long a lock lasts that was given or renewed now.
func (m *meter) measure(until, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return lockTime(until.Sub(now), max(m.ahead, m.before))
}

// broker returns what a broker's clock shows now, or less.
func (m *meter) broker(now time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return now.Add(max(0, m.ahead, m.before))
}

// lockTime returns how long a lock lasts that ends that far ahead of our clock,
// of which the broker's is ahead by that much at least. Where the clocks may
// differ, it is the least of what is likely: a lock that is renewed too often
// costs little, one that is renewed too late costs the work.
func lockTime(left, ahead time.Duration) time.Duration {
	if ahead.Abs() <= agreeing {
		return min(max(left-ahead, minLock), maxLock)
	}
	if ahead > farBack/2 {
		left = min(left, left-ahead)
	}
	return min(max(left, minLock), cautiousMax)
}
