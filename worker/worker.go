package worker

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// Worker is one replica: it moves jobs from the job queue to the reply queues.
type Worker struct {
	Config
	sources  []*source              // of jobs; never changes
	keeper   *keeper                // of the locks of what is held
	places   *places                // for items under way, Concurrency for each vault
	items    chan func()            // items for idle hands; closed by Run
	hands    sync.WaitGroup         // goroutines that do items
	routes   atomic.Pointer[routes] // the reply queues of the moment
	observer *observer

	standstill  *standstill   // of keys and vaults that give no answer
	unconfirmed *unconfirmed  // what is done and has still to be settled
	recovered   chan struct{} // gets a value when a reply queue is out of trouble; never closed
}

// New checks the configuration and returns a Worker. It starts nothing.
func New(c Config) (*Worker, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("worker configuration: %w", err)
	}
	c = c.withDefaults()
	w := &Worker{
		Config:   c,
		sources:  c.sources(),
		keeper:   newKeeper(),
		places:   newPlaces(c.Concurrency),
		items:    make(chan func()),
		observer: newObserver(c.Telemetry),

		unconfirmed: newUnconfirmed(mostUnconfirmed),
		recovered:   make(chan struct{}, 1),
	}
	w.standstill = newStandstill(c, w.patience)
	var err error
	if w.observer.meters, err = newMeters(w); err != nil {
		return nil, fmt.Errorf("worker telemetry: %w", err)
	}
	w.keeper.margin = w.observer.meters.renewed
	return w, w.SetReplies(c.Replies, c.DefaultReply)
}

// Run works until ctx ends, then drains: it takes in nothing more, finishes
// the jobs that it holds within DrainTimeout, and gives the rest back. It
// returns nil after a drain, or the error that made the job queue unusable.
// It closes neither the receiver nor the senders.
//
// Three contexts end one after the other: ctx ends the intake, work the
// signing, and last the replies and settlements.
func (w *Worker) Run(ctx context.Context) error {
	work, giveUp := context.WithCancelCause(context.WithoutCancel(ctx))
	defer giveUp(nil)
	last, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()

	var jobs, keeping sync.WaitGroup
	keeping.Go(func() { w.keeper.run(last) })
	err := w.takeAll(ctx, func(d *heldDelivery) {
		jobs.Go(func() { w.process(work, last, d) })
	})
	w.drain(&jobs, giveUp, end)
	close(w.items)
	w.hands.Wait()
	end()
	keeping.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}
