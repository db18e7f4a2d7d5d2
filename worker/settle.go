package worker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/signmill/signmill/queue"
)

// settleTimeout bounds a settlement and each step of a reply. Both are made on
// a context that outlives the job's own.
const settleTimeout = 30 * time.Second

// conclude carries out a verdict: reply first, then settle. When the lock was
// lost the verdict is thrown away, because the message is another's by now.
// Held ends with the lock or the work, last with the worker.
func (w *Worker) conclude(held, last context.Context, d *heldDelivery, v verdict) {
	log := traced(last, w.Log).With("message_id", d.ID, "delivery_count", d.Count, "duration_ms", time.Since(d.began).Milliseconds())
	if errors.Is(context.Cause(held), queue.ErrLockLost) {
		w.observer.conclude(last, v, queue.ErrLockLost)
		log.Warn("lock lost: the result is thrown away and the job comes again")
		return
	}
	if err := w.reply(last, d, v); err != nil {
		v = w.unsent(d.Delivery, v, fmt.Errorf("reply not sent: %w", err))
	}
	if v.outcome == queue.Abandon {
		rest(held, d.draining, hinted(v.cause)+pauseBefore(d.Count, rand.N[time.Duration]))
	}
	err := w.observer.settle(last, d.Delivery, v)
	w.observer.conclude(last, v, err)
	if err != nil {
		log.Warn("not settled: the job comes again", "error", err, "cause", v.cause)
		return
	}
	v.log(log)
}

// settle ends the delivery as v says.
func settle(ctx context.Context, d *queue.Delivery, v verdict) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
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
