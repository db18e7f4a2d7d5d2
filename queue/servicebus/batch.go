package servicebus

import (
	"context"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// pack fills batches in order, before anything is sent. A batch holds messages
// of one session, or one partition key, only, because the broker files all of it
// under that of the first.
func (s *Sender) pack(ctx context.Context, messages []*azservicebus.AMQPAnnotatedMessage) ([]*azservicebus.MessageBatch, error) {
	var batches []*azservicebus.MessageBatch
	var open *azservicebus.MessageBatch
	for i, m := range messages {
		if open != nil && sameFile(messages[i-1], m) {
			err := open.AddAMQPAnnotatedMessage(m, nil)
			if err == nil {
				continue
			}
			if !errors.Is(err, azservicebus.ErrMessageTooLarge) {
				return nil, named(m, err)
			}
		}
		next, err := s.begin(ctx, m)
		if err != nil {
			return nil, err
		}
		open, batches = next, append(batches, next)
	}
	return batches, nil
}

// begin opens a batch with its first message.
func (s *Sender) begin(ctx context.Context, first *azservicebus.AMQPAnnotatedMessage) (*azservicebus.MessageBatch, error) {
	batch, err := s.empty(ctx)
	if err != nil {
		return nil, err
	}
	return batch, named(first, batch.AddAMQPAnnotatedMessage(first, nil))
}

// empty returns an empty batch, whose size the open link knows.
func (s *Sender) empty(ctx context.Context) (batch *azservicebus.MessageBatch, err error) {
	err = s.pass(ctx, func(ctx context.Context, l *azservicebus.Sender) error {
		batch, err = l.NewMessageBatch(ctx, nil)
		return err
	})
	return batch, err
}

// named says which message an error is about.
func named(m *azservicebus.AMQPAnnotatedMessage, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("message %q: %w", m.Properties.MessageID, err)
}

func sameFile(a, b *azservicebus.AMQPAnnotatedMessage) bool {
	return value(a.Properties.GroupID) == value(b.Properties.GroupID) && a.MessageAnnotations[partitionKey] == b.MessageAnnotations[partitionKey]
}
