package servicebus

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/signmill/signmill/queue"
)

// Receiver takes messages from one queue or one session. It implements
// queue.Receiver.
type Receiver struct {
	client   *Client
	name     string
	source   source
	settling settling
	door     *door         // of the settling link
	pace     *pace         // owned by the goroutine that calls Receive
	shy      shyness       // likewise
	done     chan struct{} // closed by Close

	mu     sync.Mutex // guards the fields below
	span   *span      // the life of the source's present link
	closed bool
}

var _ queue.Receiver = (*Receiver)(nil)

func newReceiver(c *Client, name string, from source, to settling) *Receiver {
	return &Receiver{
		client:   c,
		name:     name,
		source:   from,
		settling: to,
		door:     newDoor(),
		pace:     newPace(c.config.Log.With("queue", name), c.config.Retry.MaxPause),
		done:     make(chan struct{}),
		span:     newSpan(),
	}
}

// errLinkLost stands for the client's answer of no messages and no error.
var errLinkLost = errors.New("link or connection is lost")

// Receive implements queue.Receiver. Limit is cut to 5,000, the most that the
// client takes at once. After an error the next call starts with a pause that
// grows from call to call, so that a caller that tries again spins no faster
// than Receive itself.
func (r *Receiver) Receive(ctx context.Context, limit int) ([]*queue.Delivery, error) {
	if limit < 1 {
		return nil, translate("receive", r.name, errors.New("limit is below 1"))
	}
	for {
		r.pace.wait(ctx, r.done, r.client.done)
		if err := r.ended(ctx); err != nil {
			return nil, translate("receive", r.name, err)
		}
		deliveries, err := r.take(ctx, limit)
		if len(deliveries) > 0 || err != nil {
			return deliveries, err
		}
	}
}

// ended returns why no further call makes sense, or nil.
func (r *Receiver) ended(ctx context.Context) error {
	if r.client.closed() {
		return errClosed
	}
	select {
	case <-r.done:
		return errClosed
	default:
		return ctx.Err()
	}
}

// callLimit bounds one call of the client. Its handshakes have no limit of
// their own: a broker that accepts a connection and says nothing would stop it
// for ever. Messages that have arrived when a call ends are returned.
const callLimit = time.Minute

// take makes one call and judges its result. Neither deliveries nor an error
// means: try again.
func (r *Receiver) take(ctx context.Context, limit int) ([]*queue.Delivery, error) {
	started, s := time.Now(), r.present()
	messages, err := guarded(func() ([]*azservicebus.ReceivedMessage, error) {
		call, cancel := context.WithTimeout(ctx, callLimit)
		defer cancel()
		return r.source.ReceiveMessages(call, r.shy.limit(limit, started), nil)
	})
	if len(messages) > 0 {
		r.pace.succeeded()
		return r.deliver(messages, s), nil
	}
	idle := time.Since(started) >= callLimit && errors.Is(err, context.DeadlineExceeded)
	if idle || r.ended(ctx) != nil {
		return nil, nil // the caller's loop sees the end
	}
	return nil, r.judge(started, s, err)
}

// judge draws the consequences of a call that failed. It returns the error
// when waiting does not mend it.
func (r *Receiver) judge(started time.Time, s *span, err error) error {
	if errors.Is(err, errUndecodable) {
		r.shy.startled(started)
	} else {
		r.lose(s)
	}
	if err == nil {
		err = errLinkLost
	}
	err = translate("receive", r.name, err)
	r.pace.failed(time.Since(started))
	if permanent(err) {
		return err
	}
	r.pace.tell(err)
	return nil
}

func (r *Receiver) deliver(messages []*azservicebus.ReceivedMessage, s *span) []*queue.Delivery {
	deliveries := make([]*queue.Delivery, len(messages))
	for i, m := range messages {
		in := incoming(m)
		in.Queue = r.name
		deliveries[i] = queue.NewDelivery(in, receipt(m), &lock{receiver: r, message: m, span: s})
	}
	return deliveries
}

// Warm connects and opens the link for settlements, if it is not open yet, by
// peeking at one message. It reports a queue that does not exist or that we
// may not read, and leaves every message as it is.
func (r *Receiver) Warm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	err := r.door.pass(ctx, func(ctx context.Context) error {
		_, err := guarded(func() ([]*azservicebus.ReceivedMessage, error) {
			return r.settling.PeekMessages(ctx, 1, nil)
		})
		if errors.Is(err, errUndecodable) {
			return nil // the link works
		}
		return err
	})
	return translate("warm", r.name, err)
}

// Close implements queue.Receiver. Deliveries on a queue without sessions can
// still be settled and renewed. A second Close does nothing.
func (r *Receiver) Close(ctx context.Context) error {
	if !r.retire() {
		return nil
	}
	return translate("close", r.name, r.source.Close(ctx))
}

// retire ends Receive and returns true the first time.
func (r *Receiver) retire() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.closed = true
	close(r.done)
	r.span.end()
	return true
}

// present returns the present span.
func (r *Receiver) present() *span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.span
}

// lose ends s, if it is still the present span, and starts the next. It marks
// the settling link too, which shares the connection.
func (r *Receiver) lose(s *span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.span != s || r.closed {
		return
	}
	s.end()
	r.span = newSpan()
	r.door.set(true)
}
