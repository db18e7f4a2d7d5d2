package worker

import (
	"context"
	"errors"
	"fmt"
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
	log := traced(last, w.Log.With("message_id", d.ID, "delivery_count", d.Count, "duration_ms", time.Since(d.began).Milliseconds()))
	if lockLost(held) {
		w.observer.conclude(last, d, v, queue.ErrLockLost)
		log.Warn("lock lost: the result is thrown away and the job comes again")
		return
	}
	err := w.reply(held, last, d, v)
	if lockLost(held) && err != nil {
		w.observer.conclude(last, d, v, queue.ErrLockLost)
		log.Warn("lock lost: the result is thrown away and the job comes again", "error", err)
		return
	}
	if err != nil {
		v = w.unsent(held, last, d, v, fmt.Errorf("reply not sent: %w", err))
	}
	if v.outcome == queue.Abandon {
		v = d.giveBack(held, last, v, w.keeper.meter.broker(time.Now()))
	}
	w.recordDeadLetter(last, d.Delivery, v)
	err = w.observer.settle(last, d, v)
	w.observer.conclude(last, d, v, err)
	if err != nil {
		if v.outcome != queue.Abandon {
			w.unconfirmed.add(d.from.name, d.Delivery, v.settlement())
		}
		log.Warn("not settled: the job comes again", "error", err, "cause", v.cause)
		return
	}
	v.log(log)
}

// resume settles a delivery that was done with before.
func (w *Worker) resume(last context.Context, d *heldDelivery, how queue.Settlement) {
	log := w.Log.With("message_id", d.ID, "delivery_count", d.Count)
	if err := settle(last, d.Delivery, how); err != nil {
		w.unconfirmed.add(d.from.name, d.Delivery, how)
		log.Warn("not settled: the job comes again", "error", err)
		return
	}
	log.Info("job was done before and is settled now")
}

func lockLost(held context.Context) bool {
	return errors.Is(context.Cause(held), queue.ErrLockLost)
}

// settle ends the delivery.
func settle(ctx context.Context, d *queue.Delivery, how queue.Settlement) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	switch how.Outcome {
	case queue.Complete:
		return d.Complete(ctx)
	case queue.DeadLetter:
		return d.DeadLetter(ctx, how.Reason, how.Description)
	default:
		return d.Abandon(ctx)
	}
}

// giveBack puts a job off: a copy is sent that comes when it is due, after which
// the delivery itself is done with. A worker that dies between the two leaves
// both, and the reply to both is one, because its id is the job's. Where no copy
// can be sent the delivery is abandoned, after a while. Now is the broker's.
func (d *heldDelivery) giveBack(held, last context.Context, v verdict, now time.Time) verdict {
	if d.from.later == nil {
		rest(held, d.draining, v.wait)
		return v
	}
	ctx, cancel := context.WithTimeout(last, settleTimeout)
	defer cancel()
	err := d.from.later.Send(ctx, copyOf(d.Delivery, v.past, now, v.wait))
	if err == nil {
		v.outcome, v.putOff = queue.Complete, true
		d.from.inlet.putOff(time.Now(), v.wait)
		return v
	}
	v.cause = fmt.Errorf("%w; not put off: %w", v.cause, err)
	rest(held, d.draining, min(v.wait, longestRest))
	return v
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
