package localbus

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
	"github.com/signmill/signmill/queue/localbus/internal/broker"
	"github.com/signmill/signmill/queue/localbus/internal/token"
)

// takeAhead is how many messages a link locks at once while it sends.
const takeAhead = 32

// queueSource takes messages out of a queue, or out of one session of it.
type queueSource struct {
	link     *link
	queue    *broker.Queue
	consumer *broker.Consumer
	mode     broker.Mode
	backlog  []broker.Delivery // taken; the first may be on its way
	timer    broker.Timer      // delays the first of the backlog; nil: not running
	due      bool              // the delay is over
}

// connectReceiver attaches a link that receives from a queue or a session.
func (l *link) connectReceiver(ctx context.Context) error {
	if err := l.authorize(l.path, token.Listen); err != nil {
		return err
	}
	q, err := l.session.conn.server.broker.Open(l.path)
	if err != nil {
		return err
	}
	n := &queueSource{link: l, queue: q}
	if l.attach.SenderSettleMode.Value == amqp.SenderSettled {
		n.mode = broker.ReceiveAndDelete
	}
	if filter, ok := sessionFilter(l.attach.Source.Filter()); ok {
		return n.acceptSession(ctx, filter)
	}
	n.consumer, err = q.Consume(broker.ConsumerConfig{Mode: n.mode, Notify: n.notify})
	if broker.KindOf(err) == broker.SessionRequired {
		return &amqp.Error{Condition: condNotAllowed, Description: textNeedsSession}
	}
	if err != nil {
		return err
	}
	l.accept(l.attach.Source, math.MaxUint64, nil)
	l.openOutlet(n)
	return nil
}

// notify is called by the broker, from anywhere.
func (n *queueSource) notify() {
	n.link.session.conn.post(func() {
		if n.link.out != nil {
			n.link.out.markReady()
		}
	})
}

func (n *queueSource) next(b []byte, limit int) (message, bool, error) {
	if len(n.backlog) == 0 {
		if err := n.take(limit); err != nil || len(n.backlog) == 0 {
			return message{}, false, err
		}
	}
	if !n.released() {
		return message{}, false, nil
	}
	d := &n.backlog[0]
	b, err := appendDelivery(b, d)
	return message{encoded: b, token: lockToken(d.LockToken)}, err == nil, err
}

// take fills the backlog. That the queue is deleted is told to the link later,
// with the news of the deletion.
func (n *queueSource) take(limit int) error {
	if n.mode == broker.ReceiveAndDelete {
		limit = 1 // what is taken and not sent would be lost
	}
	taken, err := n.consumer.Take(min(limit, takeAhead))
	n.backlog = taken
	switch broker.KindOf(err) {
	case broker.NotFound, broker.SessionLockLost, broker.Closed:
		return nil
	}
	return err
}

// released reports whether the delay of the first message is over, and starts
// it otherwise.
func (n *queueSource) released() bool {
	delay := n.link.session.conn.server.config.Faults.Delay
	if delay <= 0 || n.due {
		n.due = false
		return true
	}
	if n.timer == nil {
		c := n.link.session.conn
		n.timer = c.server.config.Clock.AfterFunc(delay, func() {
			c.post(func() {
				n.timer, n.due = nil, true
				if n.link.out != nil {
					n.link.out.markReady()
				}
			})
		})
	}
	return false
}

func (n *queueSource) left(m message) {
	n.backlog = n.backlog[1:]
	if n.mode == broker.ReceiveAndDelete {
		return
	}
	f := &n.link.session.conn.server.faults
	if f.duplicate.hit() {
		n.log("duplicate", n.queue.Duplicate(broker.Token(m.token)))
	}
	if f.lose.hit() {
		n.log("lose lock", n.queue.LoseLock(broker.Token(m.token)))
	}
}

// close gives back what was taken and not sent. What was sent keeps its lock,
// except in a session.
func (n *queueSource) close() {
	if n.timer != nil {
		n.timer.Stop()
	}
	if n.mode == broker.PeekLock {
		for _, d := range n.backlog {
			n.log("release", n.queue.Settle(broker.Settlement{Outcome: broker.Release}, d.LockToken))
		}
	}
	n.consumer.Close()
}

// log notes a failure that only shows in the log. Lost locks are ordinary.
func (n *queueSource) log(step string, err error) {
	switch broker.KindOf(err) {
	case broker.LockLost, broker.NotFound:
		return
	}
	if err != nil {
		n.link.session.conn.log.Warn("link step failed", "step", step, "path", n.link.path, "error", err)
	}
}

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
func sessionFilter(m amqp.Map) (w wantedSession, ok bool) {
	for _, e := range m {
		if amqp.Text(e.Key) != filterSession {
			continue
		}
		w.key, w.filter = e.Key, e.Value
		v := e.Value
		if d, ok := v.(amqp.Described); ok {
			v = d.Value
		}
		w.id, w.next = amqp.Text(v), v == nil
		return w, true
	}
	return w, false
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
		ConsumerConfig: broker.ConsumerConfig{Mode: n.mode, Notify: n.notify},
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
	n.consumer = consumer
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
