package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/signmill/signmill/queue"
)

// exchange submits jobs to one queue and follows their replies on another. Of
// each job under way it keeps an M.
type exchange[M any] struct {
	config exchangeConfig
	flight *flight[M]
}

// exchangeConfig says between which queues. All fields are required.
type exchangeConfig struct {
	Run     string // begins the ids by which replies are known, and is the reply session if there is one
	Jobs    queue.Sender
	Replies queue.Receiver
	ReplyTo string // name of the reply queue
	Session bool   // the replies come in a session of our own

	Window   int           // jobs under way
	Patience time.Duration // how long to wait without a reply
	Advice   string        // what to do when none comes
	Log      *slog.Logger
}

func newExchange[M any](c exchangeConfig) *exchange[M] {
	return &exchange[M]{config: c, flight: newFlight[M](c.Window)}
}

// answerer handles the reply to a job of which kept was kept. Several run at
// the same time.
type answerer[M any] func(ctx context.Context, id string, kept M, body []byte) error

// run submits, and returns when every submitted job is answered. When soft ends
// submit is to submit no more; when hard ends it stops waiting, too, and
// returns the cause.
func (e *exchange[M]) run(soft, hard context.Context, submit func(soft, ctx context.Context) error, answer answerer[M]) error {
	ctx, fail := context.WithCancelCause(hard)
	defer fail(nil)
	var crew sync.WaitGroup
	start := func(part func() error) {
		crew.Go(func() {
			if err := part(); err != nil {
				fail(err)
			}
		})
	}
	start(func() error {
		defer e.flight.close()
		return submit(soft, ctx)
	})
	start(func() error { return e.follow(ctx, answer, fail) })
	start(func() error { return e.watch(ctx) })
	crew.Wait()
	return context.Cause(ctx)
}

// send waits for a place in the window and sends one job. Its reply is known
// by the message's CorrelationID, or else by its ID. Nothing is sent once soft
// or ctx has ended.
func (e *exchange[M]) send(soft, ctx context.Context, m queue.Message, keep M) error {
	if soft.Err() != nil {
		return nil
	}
	select {
	case e.flight.window <- struct{}{}:
	case <-soft.Done():
		return nil
	case <-ctx.Done():
		return nil
	}
	id := m.CorrelationID
	if id == "" {
		id = m.ID
	}
	e.flight.start(id, keep)
	if err := e.config.Jobs.Send(ctx, m); err != nil {
		return fmt.Errorf("submit a job: %w", err)
	}
	return nil
}

// warnAfter is how long to wait without a reply before saying so.
const warnAfter = 30 * time.Second

// watch gives up when no reply comes for too long.
func (e *exchange[M]) watch(ctx context.Context) error {
	patience := e.config.Patience
	tick := time.NewTicker(min(warnAfter, patience) / 4)
	defer tick.Stop()
	warned := false
	for {
		select {
		case <-e.flight.idle:
			return nil
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		silent, waiting := e.flight.silence()
		if waiting > 0 && silent >= patience {
			return fmt.Errorf("no reply for %s and %d jobs wait: %s", patience, waiting, e.config.Advice)
		}
		if waiting > 0 && silent >= warnAfter && !warned {
			e.config.Log.Warn("no reply yet; does a worker serve the job queue?", "jobs_waiting", waiting, "silent", silent.Round(time.Second))
		}
		warned = silent >= warnAfter
	}
}
