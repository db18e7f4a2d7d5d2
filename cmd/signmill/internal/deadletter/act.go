package deadletter

import (
	"context"
	"errors"
	"fmt"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
)

// Act ends each dead letter of a batch, and returns an error or nil for each. It
// must be such that it may be done twice.
type Act func(ctx context.Context, batch []*queue.Delivery) []error

// Replay puts dead letters back on a queue: it sends copies, and completes
// what was sent.
func Replay(to queue.Sender) Act {
	return func(ctx context.Context, batch []*queue.Delivery) []error { return replayBatch(ctx, to, batch) }
}

func replayBatch(ctx context.Context, to queue.Sender, batch []*queue.Delivery) []error {
	copies := make([]queue.Message, len(batch))
	for i, d := range batch {
		copies[i] = revive(d)
	}
	errs := make([]error, len(batch))
	if err := to.Send(ctx, copies...); err != nil {
		for i, c := range copies { // one of them may be the reason
			errs[i] = sendAlone(ctx, to, c)
		}
	}
	completeRest(ctx, batch, errs)
	return errs
}

func sendAlone(ctx context.Context, to queue.Sender, m queue.Message) error {
	err := to.Send(ctx, m)
	if errors.Is(err, queue.ErrTooLarge) {
		return fmt.Errorf("%w: %w", errOfMessage, err)
	}
	return err
}

// revive makes the copy of a dead letter that goes back.
func revive(d *queue.Delivery) queue.Message {
	m := d.Message
	m.ID = schema.ReplayID(d.ID, d.SequenceNumber)
	if m.CorrelationID == "" {
		m.CorrelationID = d.ID // as the reply to the first copy would have had it
	}
	m.Properties = livingProperties(d.Properties)
	return m
}

// Purge deletes dead letters for good. It is an Act.
func Purge(ctx context.Context, batch []*queue.Delivery) []error {
	errs := make([]error, len(batch))
	completeRest(ctx, batch, errs)
	return errs
}

// completeRest completes those of a batch that have no error, and notes theirs.
func completeRest(ctx context.Context, batch []*queue.Delivery, errs []error) {
	var sent []*queue.Delivery
	places := map[*queue.Delivery]*error{}
	for i, d := range batch {
		if errs[i] == nil {
			sent, places[d] = append(sent, d), &errs[i]
		}
	}
	eachOf(sent, func(d *queue.Delivery) { *places[d] = d.Complete(ctx) })
}
