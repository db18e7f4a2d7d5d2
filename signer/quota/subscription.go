package quota

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// Subscription is a budget that several gates draw on besides their own. Like
// a gate's it is split between the replicas that the gate's Share counts.
type Subscription struct {
	rate float64 // of the fleet
	born time.Time

	mu    sync.Mutex // guards pacer
	pacer pacer
}

// NewSubscription returns the budget of all vaults of a subscription in one
// region: quota units in a window for the whole fleet. Zeros: 5 times KeyUnits
// and 10 s. Guard as in Config.
func NewSubscription(quota Units, window time.Duration, guard float64) (*Subscription, error) {
	c := Config{Quota: quota, Window: window, Guard: guard}
	if c.Quota == 0 {
		c.Quota = SubscriptionFactor * KeyUnits
	}
	if err := errors.Join(c.faults()...); err != nil {
		return nil, fmt.Errorf("quota of a subscription: %w", err)
	}
	c = c.filled()
	return &Subscription{rate: c.Guard * float64(c.Quota) / c.Window.Seconds(), born: time.Now()}, nil
}

// take pays for a call and returns zero, or returns how long it must wait.
func (s *Subscription) take(cost Units, replicas int) (wait float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rate := s.rate / float64(replicas)
	s.pacer.fill(time.Since(s.born).Seconds(), rate)
	if wait = s.pacer.wait(rate); wait == 0 {
		s.pacer.pay(cost)
	}
	return wait
}
