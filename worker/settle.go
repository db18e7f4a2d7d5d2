package worker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/signmill/signmill/queue"
)

// settleTimeout bounds a reply and a settlement. Both are made on contexts
// that a drain does not cancel.
const settleTimeout = 30 * time.Second

// conclude carries out a verdict: reply first, then settle. When the lock was
// lost the verdict is thrown away, because the message is another's by now.
func (w *Worker) conclude(ctx context.Context, d *heldDelivery, v verdict, began time.Time) {
	log := w.Log.With("message_id", d.ID, "delivery_count", d.Count, "duration_ms", time.Since(began).Milliseconds())
	if errors.Is(context.Cause(ctx), queue.ErrLockLost) {
		log.Warn("lock lost: the result is thrown away and the job comes again")
		return
	}
	if err := w.reply(ctx, d.Delivery, v); err != nil {
		v = w.unsent(d.Delivery, v, fmt.Errorf("reply not sent: %w", err))
	}
	if v.outcome == queue.Abandon {
		rest(ctx, d.draining, pauseBefore(d.Count, rand.N[time.Duration]))
	}
	if err := settle(ctx, d.Delivery, v); err != nil {
		log.Warn("not settled: the job comes again", "error", err, "cause", v.cause)
		return
	}
	v.log(log)
}

// settle ends the delivery as v says.
func settle(ctx context.Context, d *queue.Delivery, v verdict) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	switch v.outcome {
	case queue.Complete:
		return d.Complete(ctx)
	case queue.DeadLetter:
		return d.DeadLetter(ctx, string(v.reason), v.description)
	default:
		return d.Abandon(ctx)
	}
}

// rest waits for a while, until ctx ends, or until cut is closed; nil never is.
func rest(ctx context.Context, cut <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-cut:
	case <-ctx.Done():
	}
}
