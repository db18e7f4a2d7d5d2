package servicebus

import (
	"context"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/signmill/signmill/queue"
)

// Sender puts messages on one queue. It implements queue.Sender.
type Sender struct {
	name string
	link *lasting[*azservicebus.Sender]
	door *door

	mu       sync.Mutex // guards the fields below
	closed   bool
	underWay int           // sends
	idle     chan struct{} // closed when closed is true and underWay is zero
}

var _ queue.Sender = (*Sender)(nil)

func newSender(name string, l *lasting[*azservicebus.Sender]) *Sender {
	return &Sender{name: name, link: l, door: newDoor(), idle: make(chan struct{})}
}

// Send implements queue.Sender. No message at all is a success. Several
// travel in batches, in order, and then the queue's limit is that of a batch:
// 256 KB, or 1 MB on Premium, where a message that is sent alone may be
// larger. A message without an ID, or with a value that the wire cannot carry,
// is an error and none is sent. A context without a deadline is given one of
// 60 s.
func (s *Sender) Send(ctx context.Context, messages ...queue.Message) error {
	if !s.enter() {
		return translate("send", s.name, errClosed)
	}
	defer s.leave()
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	return translate("send", s.name, s.send(ctx, messages))
}

func (s *Sender) send(ctx context.Context, messages []queue.Message) error {
	out, err := outgoingAll(messages)
	if err != nil || len(out) == 0 {
		return err
	}
	if len(out) == 1 {
		return named(out[0], s.pass(ctx, func(ctx context.Context, l *azservicebus.Sender) error {
			return l.SendAMQPAnnotatedMessage(ctx, out[0], nil)
		}))
	}
	batches, err := s.pack(ctx, out)
	if err != nil {
		return err
	}
	for _, b := range batches {
		err := s.pass(ctx, func(ctx context.Context, l *azservicebus.Sender) error {
			return l.SendMessageBatch(ctx, b, nil)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pass makes a call on the link, and once more on a new one when the link was
// gone for a reason that is not the queue's.
func (s *Sender) pass(ctx context.Context, call func(context.Context, *azservicebus.Sender) error) error {
	return s.door.pass(ctx, func(ctx context.Context) error {
		once := func(l *azservicebus.Sender) error { return call(ctx, l) }
		err := s.link.use(ctx, once)
		if ended(err) && kindOf(err) == nil && ctx.Err() == nil {
			err = s.link.use(ctx, once)
		}
		return err
	})
}

// Warm opens the link, if it is not open yet. It reports a queue that does not
// exist or that we may not write, and sends nothing.
func (s *Sender) Warm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	_, err := s.empty(ctx)
	return translate("warm", s.name, err)
}

// Close implements queue.Sender. It waits for the sends that are under way as
// long as ctx lasts, then cuts them off. A second Close does nothing more.
func (s *Sender) Close(ctx context.Context) error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	if first && s.underWay == 0 {
		close(s.idle)
	}
	s.mu.Unlock()
	select {
	case <-s.idle:
	case <-ctx.Done():
	}
	if !first {
		return nil
	}
	return translate("close", s.name, s.link.present().Close(ctx))
}

// enter counts a send in, unless the sender is closed.
func (s *Sender) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.underWay++
	return true
}

// leave counts a send out.
func (s *Sender) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.underWay--
	if s.closed && s.underWay == 0 {
		close(s.idle)
	}
}
