package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/signmill/signmill/queue"
)

// errDrained is why work ends when DrainTimeout is over.
var errDrained = errors.New("worker is shutting down")

// heldDelivery is a delivery that occupies a place in the worker. Whoever
// ends its processing calls release once.
type heldDelivery struct {
	*queue.Delivery
	began    time.Time // when it came in
	release  func()
	draining <-chan struct{} // closed when the worker takes nothing more in
}

// intake hands deliveries to start, never more than there are free places,
// until ctx ends or the queue has refused us for too long. It asks the broker
// for free places only, so that no message waits here under a lock.
func (w *Worker) intake(ctx context.Context, start func(*heldDelivery)) error {
	release := func() { <-w.held }
	var refused refusals
	for {
		free := w.occupy(ctx)
		if free == 0 {
			return ctx.Err()
		}
		began := time.Now()
		deliveries, err := w.Jobs.Receive(ctx, free)
		for range free - len(deliveries) {
			release()
		}
		for _, d := range deliveries {
			start(&heldDelivery{Delivery: d, began: time.Now(), release: release, draining: ctx.Done()})
		}
		if err != nil && !refused.bear(err, time.Since(began)) {
			return err
		}
		if err != nil {
			w.Log.Error("the job queue refuses the worker, which tries again", "error", err)
		}
	}
}

// occupy waits for one free place and takes all that are free, or returns 0
// when ctx ends first.
func (w *Worker) occupy(ctx context.Context) int {
	select {
	case <-ctx.Done():
		return 0
	case w.held <- struct{}{}:
	}
	for n := 1; ; n++ {
		select {
		case w.held <- struct{}{}:
		default:
			return n
		}
	}
}

// lastWords is how long replies and settlements may still take when
// DrainTimeout is over. It is below what is left of any lock by then, because
// locks are renewed no more.
const lastWords = 5 * time.Second

// drain waits for the held jobs. It calls giveUp when DrainTimeout is over, and
// end when a broker that does not answer has had lastWords on top.
func (w *Worker) drain(jobs *sync.WaitGroup, giveUp context.CancelCauseFunc, end context.CancelFunc) {
	late := time.AfterFunc(w.DrainTimeout, func() { giveUp(errDrained) })
	defer late.Stop()
	tooLate := time.AfterFunc(w.DrainTimeout+lastWords, end)
	defer tooLate.Stop()
	if held := len(w.held); held > 0 {
		w.Log.Info("draining", "jobs", held, "timeout", w.DrainTimeout)
	}
	jobs.Wait()
}
