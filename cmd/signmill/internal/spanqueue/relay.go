package spanqueue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/signmill/signmill/cmd/signmill/internal/otlp"
	"github.com/signmill/signmill/queue"
)

// Relay hands messages on to an endpoint, one at a time.
type Relay struct {
	target *otlp.Endpoint
	waits  *backoff.ExponentialBackOff
	log    *slog.Logger
}

// NewRelay makes a relay, which tells log what waits and what is set aside. It starts
// nothing.
func NewRelay(target *otlp.Endpoint, log *slog.Logger) *Relay {
	return &Relay{target, backoff.NewExponentialBackOff(backoff.WithMaxInterval(time.Minute), backoff.WithMaxElapsedTime(0)), log}
}

// Take hands one message on and settles it by the endpoint's answer. It keeps the
// message while the endpoint is busy or away: giving it back would count as a
// delivery, of which a queue allows few. When ctx ends it is given back. It is a
// [Take].
func (r *Relay) Take(ctx context.Context, d *queue.Delivery) error {
	held, letGo := hold(ctx, d)
	defer letGo()
	for {
		err := r.target.Post(held, d.Body, d.ContentEncoding)
		refusal, answered := errors.AsType[*otlp.Refusal](err)
		switch {
		case err == nil:
			r.waits.Reset()
			return r.settle(ctx, d.Complete)
		case answered && !refusal.Passing():
			r.log.Error("traces are set aside", "message_id", d.ID, "error", err)
			return r.settle(ctx, func(ctx context.Context) error {
				return d.DeadLetter(ctx, "refused", fmt.Sprintf("the endpoint of traces: %v", err))
			})
		}
		r.pause(held, err)
		if held.Err() != nil {
			return r.settle(ctx, d.Abandon)
		}
	}
}

// pause waits before the next try, as long as the endpoint asked for, within
// bounds.
func (r *Relay) pause(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	wait := r.waits.NextBackOff()
	if refusal, answered := errors.AsType[*otlp.Refusal](err); answered {
		wait = max(wait, min(refusal.After, time.Minute))
	}
	r.log.Warn("traces wait for their endpoint", "wait", wait.Round(time.Millisecond), "error", err)
	rest(ctx, wait)
}

// renewEvery is more often than the shortest lock needs, which is 5 s, so that no
// clock has to agree with the broker's.
const renewEvery = 2 * time.Second

// hold renews the lock of d until letGo is called, which waits. The context that
// it returns ends when the lock is lost; the message then comes again.
func hold(ctx context.Context, d *queue.Delivery) (held context.Context, letGo func()) {
	held, lose := context.WithCancel(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() {
		tick := time.NewTicker(renewEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-held.Done():
				return
			}
			if _, err := d.Renew(held); errors.Is(err, queue.ErrLockLost) {
				lose()
			}
		}
	})
	return held, func() {
		lose()
		renewing.Wait()
	}
}

// settle ends a delivery, also when ctx has ended. A lost lock is no failure:
// the message comes again, and is known by the ids of its spans.
func (r *Relay) settle(ctx context.Context, how func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if err := how(ctx); err != nil && !errors.Is(err, queue.ErrLockLost) {
		return fmt.Errorf("settle traces: %w", err)
	}
	return nil
}

// rest waits for a while, or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
