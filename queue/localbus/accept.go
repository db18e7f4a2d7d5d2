package localbus

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

// Names of the session protocol.
const (
	filterSession     = "com.microsoft:session-filter"
	propertyTimeout   = "com.microsoft:timeout"
	propertyLockedEnd = "com.microsoft:locked-until-utc"

	acceptTime = 60 * time.Second // wait for a free session unless the client says
	epochTicks = 621355968000000000
)

// wantedSession is what a session filter asks for, with the shape of the
// answer.
type wantedSession struct {
	id     string
	next   bool
	key    any
	filter any
}

// sessionFilter finds the session filter. Its value is a string or null, with
// or without a descriptor.
func sessionFilter(m amqp.Map) (w wantedSession, ok bool, err error) {
	for _, e := range m {
		if amqp.Text(e.Key) != filterSession {
			continue
		}
		w.key, w.filter = e.Key, e.Value
		v := e.Value
		if d, ok := v.(amqp.Described); ok {
			v = d.Value
		}
		switch v := v.(type) {
		case nil:
			w.next = true
		case string:
			w.id = v
		default:
			err = &amqp.Error{Condition: condNotAllowed, Description: "the session filter is neither a string nor null"}
		}
		return w, true, err
	}
	return w, false, nil
}

// granted returns the filter of the answer.
func (w wantedSession) granted(id string) amqp.Map {
	var v any = id
	if d, ok := w.filter.(amqp.Described); ok {
		v = amqp.Described{Descriptor: d.Descriptor, Value: id}
	}
	return amqp.Map{{Key: w.key, Value: v}}
}

// acceptSession locks a session. The wait for any session happens beside the
// reader and ends with the link.
func (n *queueSource) acceptSession(ctx context.Context, w wantedSession) error {
	c := n.link.session.conn
	config := broker.SessionConfig{
		ConsumerConfig: broker.ConsumerConfig{Notify: n.notify},
		ID:             w.id,
		Next:           w.next,
		Lost:           n.lost,
	}
	if !w.next {
		consumer, err := n.queue.AcceptSession(ctx, config)
		if err != nil {
			return err
		}
		n.openSession(consumer, w)
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	n.link.cancel = func() { cancel(errDetached) }
	timer := c.server.config.Clock.AfterFunc(n.acceptTime(), func() { cancel(errAcceptTime) })
	c.tasks.Go(func() {
		consumer, err := n.queue.AcceptSession(ctx, config)
		timer.Stop()
		cancel(nil)
		c.post(func() { n.finishAccept(consumer, err, w) })
	})
	return nil
}

var (
	errDetached   = errors.New("the link is detached")
	errAcceptTime = errors.New("no session became available in time")
)

func (n *queueSource) acceptTime() time.Duration {
	ms, ok := amqp.Int(n.link.attach.Properties.Get(propertyTimeout))
	if !ok || ms <= 0 || ms > math.MaxUint32 {
		return acceptTime
	}
	return time.Duration(ms) * time.Millisecond
}

// finishAccept answers an attach that has waited, unless its link is gone.
func (n *queueSource) finishAccept(consumer *broker.Consumer, err error, w wantedSession) {
	switch {
	case n.link.detached && consumer != nil:
		consumer.Close()
	case n.link.detached:
	case err != nil:
		n.link.refuse(condition(err))
	default:
		n.openSession(consumer, w)
	}
}

func (n *queueSource) openSession(consumer *broker.Consumer, w wantedSession) {
	n.consumer, n.session = consumer, true
	id, until, _ := consumer.Session()
	l := n.link
	ticks := until.UnixNano()/100 + epochTicks
	l.accept(l.attach.Source.WithFilter(w.granted(id)), math.MaxUint64, amqp.Map{{Key: amqp.Symbol(propertyLockedEnd), Value: ticks}})
	o := l.openOutlet(n)
	if l.early != nil {
		o.flow(*l.early)
	}
}

// lost is called by the broker when the session's lock has expired.
func (n *queueSource) lost() {
	n.link.session.conn.post(func() {
		n.link.detachWith(&amqp.Error{Condition: condSessionLockLost, Description: textSessionLost})
	})
}
