package quotabench

import "time"

// epsilon forgives what sums of fractions lose.
const epsilon = 1e-9

// bucket refills at the quota's rate up to a part of the quota.
type bucket struct {
	quota   Quota
	part    float64 // of the quota that it holds
	charged bool
	tokens  float64
	filled  time.Duration // when tokens was right
}

func newBucket(quota Quota, part float64, charged bool) *bucket {
	return &bucket{quota: quota, part: part, charged: charged, tokens: part * quota(0)}
}

// Admit implements Model.
func (b *bucket) Admit(at time.Duration, cost float64) (bool, time.Duration) {
	rate := b.quota(at) / Window.Seconds()
	size := b.part * b.quota(at)
	b.tokens = min(size, b.tokens+(at-b.filled).Seconds()*rate)
	b.filled = at
	if b.tokens+epsilon >= cost {
		b.tokens -= cost
		return true, 0
	}
	after := time.Duration((cost - b.tokens) / rate * float64(time.Second))
	if b.charged {
		b.tokens = max(-size, b.tokens-cost)
	}
	return false, after
}
