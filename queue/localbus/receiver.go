package localbus

import (
	"context"
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
	session  bool              // takes from one session
	deletes  bool              // receive and delete: messages are completed as they leave
	backlog  []broker.Delivery // locked; the first may be on its way
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
	n := &queueSource{link: l, queue: q, deletes: l.attach.SenderSettleMode.Value == amqp.SenderSettled}
	wanted, ok, err := sessionFilter(l.attach.Source.Filter())
	if err != nil {
		return err
	}
	if ok {
		return n.acceptSession(ctx, wanted)
	}
	n.consumer, err = q.Consume(broker.ConsumerConfig{Notify: n.notify})
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
	for {
		if len(n.backlog) == 0 {
			if err := n.take(limit); err != nil || len(n.backlog) == 0 {
				return message{}, false, err
			}
		}
		if !n.released() {
			return message{}, false, nil
		}
		d := &n.backlog[0]
		t := lockToken(d.LockToken)
		if n.stale(d) || n.deletes && !n.remove(d) {
			n.backlog = n.backlog[1:]
			continue
		}
		b, err := appendDelivery(b, d)
		return message{encoded: b, token: t}, err == nil, err
	}
}

// take fills the backlog. That the queue is deleted is told to the link later,
// with the news of the deletion.
func (n *queueSource) take(limit int) (err error) {
	n.backlog, err = n.consumer.Take(min(limit, takeAhead))
	switch broker.KindOf(err) {
	case broker.NotFound, broker.SessionLockLost, broker.Closed:
		return nil
	}
	return err
}

// stale reports whether the lock of a message has expired while it waited for
// the peer's window. That of a session may have been renewed, and its end is
// told to the link.
func (n *queueSource) stale(d *broker.Delivery) bool {
	return !n.session && !n.link.session.conn.now().Before(d.LockedUntil)
}

// remove completes a message that is about to leave, so that none is lost
// that only stood in the backlog; false if its lock has expired meanwhile.
func (n *queueSource) remove(d *broker.Delivery) bool {
	if err := n.queue.Settle(broker.Settlement{Outcome: broker.Complete}, d.LockToken); err != nil {
		return false
	}
	d.LockToken, d.LockedUntil = broker.Token{}, time.Time{}
	return true
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
	if n.deletes {
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

// pause gives back what was taken and not sent.
func (n *queueSource) pause() {
	if n.timer != nil {
		n.timer.Stop()
		n.timer = nil
	}
	for _, d := range n.backlog {
		if d.LockToken != (broker.Token{}) {
			n.log("release", n.queue.Settle(broker.Settlement{Outcome: broker.Release}, d.LockToken))
		}
	}
	n.backlog = nil
}

// close gives back what was taken and not sent. What was sent keeps its lock,
// except in a session.
func (n *queueSource) close() {
	n.pause()
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
