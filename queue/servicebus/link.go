package servicebus

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/signmill/signmill/queue"
)

// A receiver works with two of the client's links: on one it only receives, on
// the other it does everything else. The client opens a link that it lacks in
// every call that finds it missing, even when several calls find that at once.
// All but the last of these links are lost, and the messages that come on them
// with them. So the receiving link has one caller only, and the settling link
// has a door. It also lives on when the receiving link is closed.

// source is the receiving link.
type source interface {
	ReceiveMessages(context.Context, int, *azservicebus.ReceiveMessagesOptions) ([]*azservicebus.ReceivedMessage, error)
	Close(context.Context) error
}

// settling is the other link.
type settling interface {
	settler
	renewer
	PeekMessages(context.Context, int, *azservicebus.PeekMessagesOptions) ([]*azservicebus.ReceivedMessage, error)
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

	// survives reports whether locks outlive the receiving link.
	survives() bool
}

// plain is a settling link on a queue without sessions. It can settle what
// came on another link, by way of that link or by lock token.
type plain struct {
	link *lasting[*azservicebus.Receiver]
}

// CompleteMessage is the client's, on the link that works now.
func (p plain) CompleteMessage(ctx context.Context, m *azservicebus.ReceivedMessage, o *azservicebus.CompleteMessageOptions) error {
	return p.link.use(ctx, func(l *azservicebus.Receiver) error { return l.CompleteMessage(ctx, m, o) })
}

// AbandonMessage likewise.
func (p plain) AbandonMessage(ctx context.Context, m *azservicebus.ReceivedMessage, o *azservicebus.AbandonMessageOptions) error {
	return p.link.use(ctx, func(l *azservicebus.Receiver) error { return l.AbandonMessage(ctx, m, o) })
}

// DeadLetterMessage likewise.
func (p plain) DeadLetterMessage(ctx context.Context, m *azservicebus.ReceivedMessage, o *azservicebus.DeadLetterOptions) error {
	return p.link.use(ctx, func(l *azservicebus.Receiver) error { return l.DeadLetterMessage(ctx, m, o) })
}

// PeekMessages likewise.
func (p plain) PeekMessages(ctx context.Context, n int, o *azservicebus.PeekMessagesOptions) (peeked []*azservicebus.ReceivedMessage, err error) {
	err = p.link.use(ctx, func(l *azservicebus.Receiver) error {
		peeked, err = l.PeekMessages(ctx, n, o)
		return err
	})
	return peeked, err
}

// renew works on a copy, because the client writes into the message and
// several renewals may run at once.
func (p plain) renew(ctx context.Context, m *azservicebus.ReceivedMessage) (time.Time, error) {
	locked := *m
	err := p.link.use(ctx, func(l *azservicebus.Receiver) error { return l.RenewMessageLock(ctx, &locked, nil) })
	if err != nil {
		return time.Time{}, err
	}
	return *locked.LockedUntil, nil
}

func (plain) survives() bool { return true }

// session is both links on one session, where the broker allows no second one.
// The lock belongs to the link.
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
