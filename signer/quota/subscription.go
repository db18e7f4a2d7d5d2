package quota

import "time"

// Subscription is a budget that several gates draw on besides their own.
type Subscription struct{}

// NewSubscription returns the budget of all vaults of a subscription in one
// region: quota units per window for the whole fleet. Zero: 5 times KeyUnits
// in 10 s.
func NewSubscription(quota Units, window time.Duration) *Subscription { return &Subscription{} }
