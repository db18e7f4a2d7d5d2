package servicebus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/signmill/signmill/queue"
)

// link is the client's receiver: plain, or on one session.
type link interface {
	source
	settler
	renewer
}

// source yields messages.
type source interface {
	ReceiveMessages(context.Context, int, *azservicebus.ReceiveMessagesOptions) ([]*azservicebus.ReceivedMessage, error)
	PeekMessages(context.Context, int, *azservicebus.PeekMessagesOptions) ([]*azservicebus.ReceivedMessage, error)
	Close(context.Context) error
}

// settler ends deliveries.
type settler interface {
	CompleteMessage(context.Context, *azservicebus.ReceivedMessage, *azservicebus.CompleteMessageOptions) error
	AbandonMessage(context.Context, *azservicebus.ReceivedMessage, *azservicebus.AbandonMessageOptions) error
	DeadLetterMessage(context.Context, *azservicebus.ReceivedMessage, *azservicebus.DeadLetterOptions) error
}

// renewer extends the lock of a message.
type renewer interface {
	renew(context.Context, *azservicebus.ReceivedMessage) (time.Time, error)

	// survives reports whether locks outlive the link.
	survives() bool
}

// plain is a receiver on a queue without sessions: locks belong to messages.
type plain struct{ *azservicebus.Receiver }

// renew works on a copy, because the client writes into the message and
// several renewals may run at once.
func (p plain) renew(ctx context.Context, m *azservicebus.ReceivedMessage) (time.Time, error) {
	locked := *m
	if err := p.RenewMessageLock(ctx, &locked, nil); err != nil {
		return time.Time{}, err
	}
	return *locked.LockedUntil, nil
}

func (plain) survives() bool { return true }

// session is a receiver on one session: the lock belongs to the link.
type session struct {
	*azservicebus.SessionReceiver
	mu sync.Mutex // one renewal at a time: the client keeps the lock's end in a plain field
}

func (s *session) renew(ctx context.Context, _ *azservicebus.ReceivedMessage) (time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.RenewSessionLock(ctx, nil); err != nil {
		return time.Time{}, err
	}
	return s.LockedUntil(), nil
}

func (*session) survives() bool { return false }

// settleOn ends m as s says.
func settleOn(ctx context.Context, l settler, m *azservicebus.ReceivedMessage, s queue.Settlement) error {
	switch s.Outcome {
	case queue.Complete:
		return l.CompleteMessage(ctx, m, nil)
	case queue.Abandon:
		return l.AbandonMessage(ctx, m, nil)
	case queue.DeadLetter:
		return l.DeadLetterMessage(ctx, m, &azservicebus.DeadLetterOptions{Reason: &s.Reason, ErrorDescription: &s.Description})
	default:
		return fmt.Errorf("unknown outcome %d", s.Outcome)
	}
}

// errUndecodable means that a message made the client panic.
var errUndecodable = errors.New("message cannot be decoded")

// guarded runs a receive call of the client, which asserts the types of some
// properties that any sender may set and panics on others. The message stays
// locked, comes back and is dead-lettered by the broker in the end.
func guarded(receive func() ([]*azservicebus.ReceivedMessage, error)) (messages []*azservicebus.ReceivedMessage, err error) {
	defer func() {
		if p := recover(); p != nil {
			messages, err = nil, fmt.Errorf("%w: %v", errUndecodable, p)
		}
	}()
	return receive()
}
