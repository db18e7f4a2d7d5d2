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
	guard  float64
	window time.Duration
	born   time.Time

	mu    sync.Mutex // guards the fields below
	rate  float64    // of the fleet
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
	s := &Subscription{guard: c.Guard, window: c.Window, born: time.Now()}
	return s, s.SetQuota(c.Quota)
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

// SetQuota replaces the quota at once, for calls that wait too. It returns an
// error, and changes nothing, if quota is not positive.
func (s *Subscription) SetQuota(quota Units) error {
	if quota <= 0 {
		return fmt.Errorf("quota of a subscription: %d is not positive", quota)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rate = s.guard * float64(quota) / s.window.Seconds()
	return nil
}
