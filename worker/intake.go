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
// ends its processing calls leave.
type heldDelivery struct {
	*queue.Delivery
	began    time.Time       // when it came in
	lock     time.Duration   // for which its lock lasts, unless it is renewed
	portion  *portion        // what is left to do
	release  func()          // of its place; see leave
	draining <-chan struct{} // closed when the worker takes nothing more in
	from     *source
	past     past
	routes   *routes // where it may be answered

	// Owned by the goroutine that processes it.
	placed   bool      // it occupies a place
	more     int       // attempts under this lock after the first
	notAfter time.Time // as the job says; zero: not known, or never
	begun    bool      // an item of it had its turn
}

// leave gives the place of d back, if it still has one.
func (d *heldDelivery) leave() {
	if d.placed {
		d.placed = false
		d.release()
	}
}

// idle is closed when a job that has not begun need not begin any more; nil: it
// has begun.
func (d *heldDelivery) idle() <-chan struct{} {
	if d.begun {
		return nil
	}
	return d.draining
}

// intake hands deliveries to start, never more than there are free places,
// until ctx ends or the queue has refused us for too long. It asks the broker
// for free places only, and for what can be done inside a lock where the pace is
// known, so that no message waits here while another replica could do it.
func (w *Worker) intake(ctx context.Context, from *source, start func(*heldDelivery)) error {
	release := func() { <-from.held }
	var refused refusals
	for {
		free := from.occupy(ctx, w.room(ctx, from))
		if free == 0 {
			return ctx.Err()
		}
		w.awaitReplies(ctx)
		began := time.Now()
		from.inlet.asks(began)
		deliveries, err := w.observer.receive(ctx, from, free)
		from.inlet.got(deliveries, err)
		for range free - len(deliveries) {
			release()
		}
		for _, d := range deliveries {
			now := time.Now()
			lock := w.keeper.meter.receive(d, now)
			start(&heldDelivery{
				Delivery: d, began: now, lock: lock, release: release, portion: from.load.add(lock),
				placed: true, draining: ctx.Done(), routes: w.routes.Load(), from: from, past: pastOf(d, w.MaxDeliveries),
			})
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
// many from a source. It returns the most that may be held while the pace is not
// known, and 0 when ctx ends.
func (w *Worker) room(ctx context.Context, from *source) int {
	if w.Pace == nil {
		return cap(from.held)
	}
	for ctx.Err() == nil {
		pace := w.Pace.Pace()
		if math.IsInf(pace, 1) {
			return cap(from.held)
		}
		if n := from.load.room(pace * from.part); n > 0 {
			return n
		}
		select {
		case <-ctx.Done():
		case <-from.load.eased:
		}
	}
	return 0
}

// occupy waits for one free place and takes all that are free, at most so many.
// It returns 0 when most is 0, or when ctx ends first.
func (s *source) occupy(ctx context.Context, most int) int {
	if most == 0 {
		return 0
	}
	select {
	case <-ctx.Done():
		return 0
	case s.held <- struct{}{}:
	}
	for n := 1; n < most; n++ {
		select {
		case s.held <- struct{}{}:
		default:
			return n
		}
	}
	return most
}

// LastWords is how long replies and settlements may still take when
// DrainTimeout is over.
const LastWords = 5 * time.Second

// drain waits for the held jobs. It calls giveUp when DrainTimeout is over, and
// end when a broker that does not answer has had LastWords on top.
func (w *Worker) drain(jobs *sync.WaitGroup, giveUp context.CancelCauseFunc, end context.CancelFunc) {
	late := time.AfterFunc(w.DrainTimeout, func() { giveUp(errDrained) })
	defer late.Stop()
	tooLate := time.AfterFunc(w.DrainTimeout+LastWords, end)
	defer tooLate.Stop()
	held := 0
	for _, s := range w.sources {
		held += len(s.held)
	}
	if held > 0 {
		w.Log.Info("draining", "jobs", held, "timeout", w.DrainTimeout)
	}
	jobs.Wait()
}
