package servicebus

import (
	"context"
	"errors"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"
)

// lasting is one of the client's links, which is replaced when it has ended.
//
// The client judges an error by its condition before it looks at what came to
// its end. Where the condition is one that it takes for a refusal of the call,
// such as "not allowed" or "not found", it keeps the link although that, or its
// whole connection, is gone, and each later call fails with the error of then.
type lasting[L link] struct {
	open func() (L, error) // a new one; asks no other machine

	mu   sync.Mutex // guards link
	link L
}

// link is what is common to the client's senders and receivers.
type link interface {
	comparable
	Close(context.Context) error
}

// newLasting opens the first link.
func newLasting[L link](open func() (L, error)) (*lasting[L], error) {
	first, err := open()
	if err != nil {
		return nil, err
	}
	return &lasting[L]{open: open, link: first}, nil
}

// use makes a call on the present link.
func (l *lasting[L]) use(ctx context.Context, call func(L) error) error {
	present := l.present()
	err := call(present)
	if ended(err) {
		l.replace(ctx, present)
	}
	return err
}

func (l *lasting[L]) present() L {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.link
}

// replace opens another link, unless somebody else has done so already, and
// leaves the dead one.
func (l *lasting[L]) replace(ctx context.Context, dead L) {
	if !l.swap(dead) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), linkAttempt)
	defer cancel()
	dead.Close(ctx) //nolint:errcheck // it is dead
}

func (l *lasting[L]) swap(dead L) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.link != dead {
		return false
	}
	next, err := l.open()
	if err != nil {
		return false // the client is closed
	}
	l.link = next
	return true
}

// ended reports whether err says that a link, a session or a connection is gone
// that the client does not restore by itself.
func ended(err error) bool {
	if e, ok := errors.AsType[*azservicebus.Error](err); ok && e.Code == azservicebus.CodeConnectionLost {
		return false
	}
	_, ofLink := errors.AsType[*amqp.LinkError](err)
	return ofLink || ofTransport(err)
}
