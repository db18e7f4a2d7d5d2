package probe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/quota"
)

// Prober sends the calls of a probe. Nothing is repeated and nothing paced. All
// fields are required.
type Prober struct {
	Call        func(context.Context) error // one call, one attempt; its error is a *signer.Error
	Cost        quota.Units                 // of each call
	Burst       int                         // Calls sent as fast as they go
	Concurrency int                         // of these under way at once
	Every       time.Duration               // between two calls after the burst
	Watch       time.Duration               // how long these go on
	Say         func()                      // is told when the burst has its answers
}

// Plan returns a prober that sends 1.2 times the quota that is assumed, and
// then looks on. These later calls are so few that they do not use up a quota by
// themselves. Call, Concurrency and Say are left to set.
func Plan(assumed, cost quota.Units, watch time.Duration) Prober {
	fewest := time.Duration(4 * float64(cost) / float64(assumed) * float64(Window))
	return Prober{
		Cost:  cost,
		Burst: int(math.Ceil(1.2 * float64(assumed) / float64(cost))),
		Every: min(max(time.Second/4, fewest), watch),
		Watch: watch,
	}
}

// Calls is how many calls are sent at most.
func (p Prober) Calls() int { return p.Burst + p.later() }

// later is how many of them follow the burst.
func (p Prober) later() int { return int(p.Watch / p.Every) }

// Run sends the burst and what follows, and waits for all answers. It ends at
// once when ctx does, or when a call fails for a reason that stays.
func (p Prober) Run(ctx context.Context) (Trace, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	t := Trace{Calls: make([]Call, p.Calls()), Burst: p.Burst, Flight: p.Concurrency, Cost: p.Cost}
	begun := time.Now()
	one := func(i int) {
		call, err := p.one(ctx, begun)
		if t.Calls[i] = call; err != nil {
			stop(err)
		}
	}
	p.burst(ctx, one)
	if ctx.Err() == nil {
		p.Say()
	}
	p.follow(ctx, one)
	if ctx.Err() != nil {
		return t, fmt.Errorf("the probe was stopped: %w", context.Cause(ctx))
	}
	t.sort()
	return t, nil
}

// burst sends as fast as the calls under way at once allow.
func (p Prober) burst(ctx context.Context, one func(int)) {
	var next atomic.Int64
	var senders sync.WaitGroup
	for range min(p.Concurrency, p.Burst) {
		senders.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= p.Burst {
					return
				}
				one(i)
			}
		})
	}
	senders.Wait()
}

// follow sends at a steady pace, whether answers come or not.
func (p Prober) follow(ctx context.Context, one func(int)) {
	var calls sync.WaitGroup
	defer calls.Wait()
	tick := time.NewTicker(p.Every)
	defer tick.Stop()
	for i := range p.later() {
		select {
		case <-tick.C:
			calls.Go(func() { one(p.Burst + i) })
		case <-ctx.Done():
			return
		}
	}
}

// one makes one call. Its error is one that other calls would meet, too.
func (p Prober) one(ctx context.Context, begun time.Time) (Call, error) {
	c := Call{Sent: time.Since(begun)}
	err := p.Call(ctx)
	c.Took = time.Since(begun) - c.Sent
	if err == nil {
		c.Outcome = Accepted
		return c, nil
	}
	failure, known := errors.AsType[*signer.Error](err)
	switch {
	case ctx.Err() != nil:
		return c, nil
	case known && failure.Code == schema.CodeThrottled:
		c.Outcome, c.RetryAfter = Refused, failure.RetryAfter
		return c, nil
	case known && failure.Code == schema.CodeUnavailable:
		return c, nil
	}
	return c, err
}
