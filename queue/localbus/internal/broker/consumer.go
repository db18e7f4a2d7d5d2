package broker

import "slices"

// Mode says what happens to a message when it is taken.
type Mode int

// The modes of a consumer. The zero value is PeekLock.
const (
	PeekLock         Mode = iota // it is locked and waits for its settlement
	ReceiveAndDelete             // it is gone
)

// ConsumerConfig describes one receiving link.
type ConsumerConfig struct {
	Mode Mode

	// Notify is called when messages may be available after a Take returned
	// fewer than it was asked for, once for each such Take at most, and when
	// the queue is updated or deleted. A call may still arrive after Close. It
	// must not block and may call back into the broker. Nil: the owner polls.
	Notify func()
}

// Consumer is one receiving link on a queue, or on one session of it. Its
// methods may be called from any goroutine.
type Consumer struct {
	queue  *Queue
	mode   Mode
	notify func()
	lost   func()

	// Guarded by the entity's mutex.
	session *session // nil on a queue without sessions
	gone    Kind     // why nothing can be taken any more, or zero
	hungry  bool     // in shelf.hungry
}

// Consume adds a consumer. It reports SessionRequired on a queue with
// sessions, Invalid on a queue that forwards, Disabled or NotFound.
func (q *Queue) Consume(c ConsumerConfig) (*Consumer, error) {
	e := q.entity
	e.enter()
	defer e.leave()
	if err := q.readable("consume"); err != nil {
		return nil, err
	}
	if q == &e.main && e.props.RequiresSession {
		return nil, q.fail("consume", SessionRequired, "the consumer names no session")
	}
	if err := q.settled("consume"); err != nil {
		return nil, err
	}
	return &Consumer{queue: q, mode: c.Mode, notify: c.Notify}, nil
}

// settled returns Invalid when messages do not stay in q.
func (q *Queue) settled(op string) error {
	if q == &q.entity.main && q.entity.props.ForwardTo != "" {
		return q.fail(op, Invalid, "the queue forwards its messages to "+q.entity.props.ForwardTo)
	}
	return nil
}

// Take returns up to limit messages in sequence order, without waiting; none
// is no error. In peek-lock mode each carries a lock of the queue's
// LockDuration, in a session that of the session. When it returns fewer than
// limit, Notify will be called once more may be there; consumers are notified
// in the order in which they came away short.
//
// It reports Disabled, NotFound, SessionLockLost, Closed or NoRandom; then
// nothing was taken.
func (c *Consumer) Take(limit int) ([]Delivery, error) {
	e, now := c.queue.entity, c.queue.entity.enter()
	defer e.leave()
	if err := c.usable("take"); err != nil {
		return nil, err
	}
	shelf := c.shelf()
	deliveries := make([]Delivery, 0, max(0, min(limit, shelf.len())))
	for range cap(deliveries) {
		d, err := e.take(shelf.first(), c.mode, now)
		if err != nil {
			e.undo(c.queue, deliveries, now)
			return nil, err
		}
		deliveries = append(deliveries, d)
	}
	if len(deliveries) > 0 {
		e.touch(now)
	}
	if len(deliveries) < limit {
		c.wait(shelf)
	}
	return deliveries, nil
}

// usable returns the error that keeps c from taking, or nil.
func (c *Consumer) usable(op string) error {
	if err := c.queue.readable(op); err != nil {
		return err
	}
	if c.gone != 0 {
		return c.queue.fail(op, c.gone, "")
	}
	return nil
}

// shelf returns where c takes from.
func (c *Consumer) shelf() *shelf {
	if c.session != nil {
		return &c.session.shelf
	}
	return &c.queue.shelf
}

// wait puts c in line for a notification.
func (c *Consumer) wait(s *shelf) {
	if !c.hungry && c.notify != nil {
		c.hungry = true
		s.hungry = append(s.hungry, c)
	}
}

// forget takes c out of the line.
func (c *Consumer) forget(s *shelf) {
	if c.hungry {
		c.hungry = false
		s.hungry = slices.DeleteFunc(s.hungry, func(o *Consumer) bool { return o == c })
	}
}

// Close ends the consumer. Locks on messages stay until they are settled or
// expire, except in a session: there the session's lock ends, and its locked
// messages become available again without a higher delivery count. Closing
// twice does nothing.
func (c *Consumer) Close() {
	e, now := c.queue.entity, c.queue.entity.enter()
	defer e.leave()
	if e.deleted || c.gone != 0 {
		return
	}
	c.gone = Closed
	c.forget(c.shelf())
	if c.session != nil {
		e.letGo(c.session, now, e.giveBack)
	}
}
