package exchange

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/signmill/signmill/queue"
)

// Exchange submits jobs to one queue and follows their replies on another. Of
// each job under way it keeps an M.
type Exchange[M any] struct {
	config Config
	flight *flight[M]
}

// Config says between which queues. All fields are required, but for Session.
type Config struct {
	ID      string // begins the ids by which replies are known, and is the reply session if there is one
	Jobs    queue.Sender
	Replies queue.Receiver
	ReplyTo string // name of the reply queue
	Session bool   // the replies come in a session of our own

	Window   int           // jobs under way
	Patience time.Duration // how long to wait without a reply
	Advice   string        // what to do when none comes
	Log      *slog.Logger
}

// New makes an exchange. It starts nothing.
func New[M any](c Config) *Exchange[M] {
	return &Exchange[M]{config: c, flight: newFlight[M](c.Window)}
}

// Answer handles the reply to a job of which kept was kept. Several run at
// the same time.
type Answer[M any] func(ctx context.Context, id string, kept M, body []byte) error

// Run submits, and returns when every submitted job is answered. When soft ends
// submit is to submit no more; when hard ends it stops waiting, too, and
// returns the cause.
func (e *Exchange[M]) Run(soft, hard context.Context, submit func(soft, ctx context.Context) error, answer Answer[M]) error {
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

// Send waits for a place in the window and sends one job. Its reply is known
// by the message's CorrelationID, or else by its ID. Nothing is sent once soft
// or ctx has ended.
func (e *Exchange[M]) Send(soft, ctx context.Context, m queue.Message, keep M) error {
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
	e.config.Log.Debug("job submitted", "id", id)
	return nil
}

// Unanswered returns how many jobs wait for their reply.
func (e *Exchange[M]) Unanswered() int {
	_, waiting := e.flight.silence()
	return waiting
}

// warnAfter is how long to wait without a reply before saying so.
const warnAfter = 30 * time.Second

// watch gives up when no reply comes for too long.
func (e *Exchange[M]) watch(ctx context.Context) error {
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
