package main

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

// settleTimeout bounds the settlement of a reply.
const settleTimeout = 10 * time.Second

// follow handles replies until every job is answered. The replies that are
// being handled when ctx ends are finished.
func (c *campaign) follow(ctx context.Context, fail context.CancelCauseFunc) error {
	listening, stop := context.WithCancel(ctx)
	var crew sync.WaitGroup
	defer func() { stop(); crew.Wait() }()
	crew.Go(func() {
		defer stop()
		select {
		case <-c.flight.idle:
		case <-listening.Done():
		}
	})
	places := make(chan struct{}, runtime.GOMAXPROCS(0)) // one token for each reply that is being handled
	for listening.Err() == nil {
		deliveries, err := c.Replies.Receive(listening, c.Window)
		for _, d := range deliveries {
			places <- struct{}{}
			crew.Go(func() {
				defer func() { <-places }()
				if err := c.handle(context.WithoutCancel(ctx), d); err != nil {
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

// handle brings one reply from receipt to settlement. What it says is on disk
// before the broker forgets it.
func (c *campaign) handle(ctx context.Context, d *queue.Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, c.Patience)
	defer cancel()
	id := d.CorrelationID
	documents, known := c.flight.take(id)
	if !known {
		return c.unexpected(ctx, d)
	}
	defer c.flight.land(id)
	if err := c.Record.record(c.judge(ctx, id, documents, d.Body)); err != nil {
		return err
	}
	return c.settle(ctx, d.Complete)
}

// unexpected deals with a reply to no job that is under way. A late or second
// one to a job of our own is done with; another's is given back.
func (c *campaign) unexpected(ctx context.Context, d *queue.Delivery) error {
	if strings.HasPrefix(d.CorrelationID, c.Run+".") || c.Session {
		return c.settle(ctx, d.Complete)
	}
	if err := c.settle(ctx, d.Abandon); err != nil {
		return err
	}
	return fmt.Errorf("the reply queue %s holds a reply to %q, which is not of this run: give each submitter its own session "+
		"with --reply-session (the queue must require sessions), or its own reply queue", c.ReplyTo, d.CorrelationID)
}

// settle ends a delivery. A lost lock is no failure: the reply comes again and
// is known.
func (c *campaign) settle(ctx context.Context, how func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	err := how(ctx)
	if err != nil && !errors.Is(err, queue.ErrLockLost) {
		return fmt.Errorf("settle a reply: %w", err)
	}
	return nil
}

// failure is the outcome of a file without a signature.
func (c *campaign) failure(d document, e entryError) outcome {
	o := c.outcome(d)
	o.Status, o.Error = statusFailed, &e
	return o
}

func (c *campaign) outcome(d document) outcome {
	o := outcome{entry: entry{Path: d.path, Size: d.size, Algorithm: c.Algorithm}}
	if d.digest != nil {
		o.Digest = digestText(c.Algorithm, d.digest)
	}
	return o
}

// refusal is an error of the worker as an entry shows it.
func refusal(e *schema.Error) entryError {
	return entryError{Code: string(e.Code), Message: e.Message, Retryable: e.Retryable}
}
