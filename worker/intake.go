package worker

import (
	"context"
	"errors"
	"math"
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
	portion  *portion  // what is left to do
	release  func()
	draining <-chan struct{} // closed when the worker takes nothing more in
	routes   *routes         // where it may be answered
}

// intake hands deliveries to start, never more than there are free places,
// until ctx ends or the queue has refused us for too long. It asks the broker
// for free places only, and for what can be done inside a lock where the pace is
// known, so that no message waits here while another replica could do it.
func (w *Worker) intake(ctx context.Context, start func(*heldDelivery)) error {
	release := func() { <-w.held }
	var refused refusals
	for {
		free := w.occupy(ctx, w.room(ctx))
		if free == 0 {
			return ctx.Err()
		}
		began := time.Now()
		deliveries, err := w.observer.receive(ctx, w.Jobs, free)
		for range free - len(deliveries) {
			release()
		}
		for _, d := range deliveries {
			start(&heldDelivery{Delivery: d, began: time.Now(), release: release, portion: w.load.add(d), draining: ctx.Done(), routes: w.routes.Load()})
		}
		if err != nil && !refused.bear(err, time.Since(began)) {
			return err
		}
		if err != nil {
			w.Log.Error("the job queue refuses the worker, which tries again", "error", err)
		}
	}
}

// room waits until more deliveries can be done inside a lock, and returns how
// many. It returns JobsHeld while the pace is not known, and 0 when ctx ends.
func (w *Worker) room(ctx context.Context) int {
	if w.Pace == nil {
		return w.JobsHeld
	}
	for ctx.Err() == nil {
		pace := w.Pace.Pace()
		if math.IsInf(pace, 1) {
			return w.JobsHeld
		}
		if n := w.load.room(pace); n > 0 {
			return n
		}
		select {
		case <-ctx.Done():
		case <-w.load.eased:
		}
	}
	return 0
}

// occupy waits for one free place and takes all that are free, at most so many.
// It returns 0 when most is 0, or when ctx ends first.
func (w *Worker) occupy(ctx context.Context, most int) int {
	if most == 0 {
		return 0
	}
	select {
	case <-ctx.Done():
		return 0
	case w.held <- struct{}{}:
	}
	for n := 1; n < most; n++ {
		select {
		case w.held <- struct{}{}:
		default:
			return n
		}
	}
	return most
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
