package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/quota"
)

// prober sends the calls of a probe. Nothing is repeated and nothing paced.
type prober struct {
	Call        func(context.Context) error // one call, one attempt
	Cost        quota.Units
	Burst       int
	Concurrency int
	Every       time.Duration // between two calls after the burst
	Watch       time.Duration // how long these go on
	Say         func()        // is told when the burst has its answers
}

// run sends the burst and what follows, and waits for all answers. It ends at
// once when ctx does, or when a call fails for a reason that stays.
func (p prober) run(ctx context.Context) (probeTrace, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	later := int(p.Watch / p.Every)
	t := probeTrace{Calls: make([]probeCall, p.Burst+later), Burst: p.Burst, Flight: p.Concurrency, Cost: p.Cost}
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
	p.follow(ctx, later, one)
	if ctx.Err() != nil {
		return t, fmt.Errorf("the probe was stopped: %w", context.Cause(ctx))
	}
	t.sort()
	return t, nil
}

// burst sends as fast as the calls under way at once allow.
func (p prober) burst(ctx context.Context, one func(int)) {
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
func (p prober) follow(ctx context.Context, n int, one func(int)) {
	var calls sync.WaitGroup
	defer calls.Wait()
	tick := time.NewTicker(p.Every)
	defer tick.Stop()
	for i := range n {
		select {
		case <-tick.C:
			calls.Go(func() { one(p.Burst + i) })
		case <-ctx.Done():
			return
		}
	}
}

// one makes one call. Its error is one that other calls would meet, too.
func (p prober) one(ctx context.Context, begun time.Time) (probeCall, error) {
	c := probeCall{Sent: time.Since(begun)}
	err := p.Call(ctx)
	c.Took = time.Since(begun) - c.Sent
	if err == nil {
		c.Outcome = probeAccepted
		return c, nil
	}
	failure, known := errors.AsType[*signer.Error](err)
	switch {
	case ctx.Err() != nil:
		return c, nil
	case known && failure.Code == schema.CodeThrottled:
		c.Outcome, c.RetryAfter = probeRefused, failure.RetryAfter
		return c, nil
	case known && failure.Code == schema.CodeUnavailable:
		return c, nil
	}
	return c, err
}
