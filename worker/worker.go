package worker

import (
	"context"
	"fmt"
	"sync"
)

// Worker is one replica: it moves jobs from the job queue to the reply queues.
type Worker struct {
	Config
	held     chan struct{}      // one token for each delivery held; capacity JobsHeld
	load     *load              // what is held
	places   chan struct{}      // one token for each item under way; capacity Concurrency
	items    chan func()        // items for idle hands; closed by Run
	hands    sync.WaitGroup     // goroutines that do items
	outboxes map[string]*outbox // of each reply queue, by name; never changes
	observer *observer
}

// New checks the configuration and returns a Worker. It starts nothing.
func New(c Config) (*Worker, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("worker configuration: %w", err)
	}
	c = c.withDefaults()
	w := &Worker{
		Config:   c,
		held:     make(chan struct{}, c.JobsHeld),
		load:     newLoad(c.JobTimeout),
		places:   make(chan struct{}, c.Concurrency),
		items:    make(chan func()),
		outboxes: make(map[string]*outbox, len(c.Replies)),
		observer: newObserver(c.Telemetry),
	}
	for name, sender := range c.Replies {
		w.outboxes[name] = newOutbox(sender)
	}
	return w, nil
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

	var jobs sync.WaitGroup
	err := w.intake(ctx, func(d *heldDelivery) {
		jobs.Go(func() { w.process(work, last, d) })
	})
	w.drain(&jobs, giveUp, end)
	close(w.items)
	w.hands.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}
