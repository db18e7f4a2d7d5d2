package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/signmill/signmill/queue"
)

// keepLock renews the lock of d until stop is called. The returned context
// ends with the cause queue.ErrLockLost when the broker says that the lock is
// gone. Stop waits for the renewal to end.
func keepLock(ctx context.Context, d *queue.Delivery) (held context.Context, stop func()) {
	held, cancel := context.WithCancelCause(ctx)
	var renewal sync.WaitGroup
	renewal.Go(func() {
		if errors.Is(renew(held, d), queue.ErrLockLost) {
			cancel(queue.ErrLockLost)
		}
	})
	return held, func() {
		cancel(nil)
		renewal.Wait()
	}
}

// The bounds of the time between two renewals. The upper one is a third of
// the usual lock, because a clock of ours that is behind the broker's makes
// the lock seem longer than it is.
const (
	renewSoonest = time.Second
	renewLatest  = 10 * time.Second
)

// renew extends the lock whenever a third of it has passed, or sooner. A
// failure that may pass is tried again; only the broker decides that a lock is
// lost, since the clocks of the two may differ.
func renew(ctx context.Context, d *queue.Delivery) error {
	until := d.LockedUntil
	for {
		rest(ctx, nil, min(max(time.Until(until)/3, renewSoonest), renewLatest))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		next, err := d.Renew(ctx)
		switch {
		case err == nil:
			until = next
		case errors.Is(err, queue.ErrLockLost), errors.Is(err, queue.ErrSettled):
			return err
		}
	}
}
