package exchange

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
)

// replyTimeout bounds the settlement of a reply.
const replyTimeout = 10 * time.Second

// follow handles replies until every job is answered. The replies that are
// being handled when ctx ends are finished.
func (e *Exchange[M]) follow(ctx context.Context, answer Answer[M], fail context.CancelCauseFunc) error {
	listening, stop := context.WithCancel(ctx)
	var crew sync.WaitGroup
	defer func() { stop(); crew.Wait() }()
	crew.Go(func() {
		defer stop()
		select {
		case <-e.flight.idle:
		case <-listening.Done():
		}
	})
	places := make(chan struct{}, runtime.GOMAXPROCS(0)) // one token for each reply that is being handled
	for listening.Err() == nil {
		deliveries, err := e.config.Replies.Receive(listening, e.config.Window)
		for _, d := range deliveries {
			places <- struct{}{}
			crew.Go(func() {
				defer func() { <-places }()
				if err := e.handle(context.WithoutCancel(ctx), d, answer); err != nil {
					fail(err)
				}
			})
		}
		if err != nil && listening.Err() == nil {
			return fmt.Errorf("follow the replies: %w", err)
		}
	}
	return nil
}

// handle brings one reply from receipt to settlement. It is answered for before
// the broker forgets it.
func (e *Exchange[M]) handle(ctx context.Context, d *queue.Delivery, answer Answer[M]) error {
	ctx, cancel := context.WithTimeout(ctx, e.config.Patience)
	defer cancel()
	if d.Subject == schema.TracesSubject {
		return e.settle(ctx, d.Complete) // spans of a worker: nobody else takes them from here
	}
	id := d.CorrelationID
	kept, known := e.flight.take(id)
	if !known {
		return e.unexpected(ctx, d)
	}
	defer e.flight.land(id)
	if err := answer(ctx, id, kept, d.Body); err != nil {
		return err
	}
	return e.settle(ctx, d.Complete)
}

// unexpected deals with a reply to no job that is under way. A late or second
// one to a job of our own is done with; another's is given back.
func (e *Exchange[M]) unexpected(ctx context.Context, d *queue.Delivery) error {
	if strings.HasPrefix(d.CorrelationID, e.config.ID+".") || e.config.Session {
		return e.settle(ctx, d.Complete)
	}
	if err := e.settle(ctx, d.Abandon); err != nil {
		return err
	}
	return fmt.Errorf("the reply queue %s holds a reply to %q, which is not of this run: give each submitter its own session "+
		"with --reply-session (the queue must require sessions), or its own reply queue", e.config.ReplyTo, d.CorrelationID)
}

// settle ends a delivery. A lost lock is no failure: the reply comes again and
// is known.
func (e *Exchange[M]) settle(ctx context.Context, how func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, replyTimeout)
	defer cancel()
	err := how(ctx)
	if err != nil && !errors.Is(err, queue.ErrLockLost) {
		return fmt.Errorf("settle a reply: %w", err)
	}
	return nil
}
