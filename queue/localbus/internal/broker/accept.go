package broker

import (
	"context"
	"slices"
)

// SessionConfig describes a link to one session.
type SessionConfig struct {
	ConsumerConfig
	ID   string // meaningful unless Next; "" is a valid id
	Next bool   // take any session that has messages and no holder, the longest waiting first

	// Lost is called once when the session's lock expires, without locks
	// held. Its locked messages are then available again. It is not called
	// after Close, nor when the queue is deleted. Nil: nobody.
	Lost func()
}

const acceptOp = "accept session"

// waiter is an accept that waits for any session.
type waiter struct {
	consumer *Consumer
	done     chan struct{} // closed by the entity, under its mutex, when it was granted or turned away
	refused  Kind          // set before done is closed, zero: granted
}

// AcceptSession locks a session for a new consumer. By name it does not wait:
// a session that has never been seen comes into being. With Next it waits until a
// session is free, first come first served, or ctx ends.
//
// It reports SessionLocked, SessionRefused on a queue without sessions,
// Timeout when ctx ended (wrapping its cause), Invalid, Disabled or NotFound.
func (q *Queue) AcceptSession(ctx context.Context, c SessionConfig) (*Consumer, error) {
	w := &waiter{
		consumer: &Consumer{queue: q, mode: c.Mode, notify: c.Notify, lost: c.Lost},
		done:     make(chan struct{}),
	}
	if err := q.joinLine(w, c); err != nil {
		return nil, err
	}
	select {
	case <-w.done:
	case <-ctx.Done():
		q.entity.leaveLine(w)
	}
	switch w.refused {
	case 0:
		return w.consumer, nil
	case Timeout:
		return nil, &Error{Op: acceptOp, Queue: q.Path(), Kind: Timeout, Err: context.Cause(ctx)}
	}
	return nil, q.fail(acceptOp, w.refused, "")
}

// joinLine grants w its session at once, or lets it wait for any.
func (q *Queue) joinLine(w *waiter, c SessionConfig) error {
	e := q.entity
	e.enter()
	defer e.leave()
	if err := q.acceptable(c); err != nil {
		return err
	}
	switch {
	case !c.Next:
		s := e.session(c.ID)
		if s.holder != nil {
			return q.fail(acceptOp, SessionLocked, "")
		}
		e.grant(s, w.consumer)
	case e.free.len() > 0:
		e.grant(e.free.top(), w.consumer)
	default:
		e.waiters = append(e.waiters, w)
		return nil
	}
	close(w.done)
	return nil
}

// acceptable returns the error that keeps q from granting what c asks for.
func (q *Queue) acceptable(c SessionConfig) error {
	if err := q.sessionful(acceptOp); err != nil {
		return err
	}
	if err := q.readable(acceptOp); err != nil {
		return err
	}
	if !c.Next {
		return q.checkKey(acceptOp, "session id", c.ID)
	}
	return nil
}

// leaveLine ends the wait of w, unless it has just been granted or turned away.
func (e *entity) leaveLine(w *waiter) {
	e.enter()
	defer e.leave()
	i := slices.Index(e.waiters, w)
	if i < 0 {
		return
	}
	e.waiters = slices.Delete(e.waiters, i, i+1)
	w.refused = Timeout
	close(w.done)
}

// turnAway ends all waits.
func (e *entity) turnAway(why Kind) {
	for _, w := range e.waiters {
		w.refused = why
		close(w.done)
	}
	e.waiters = nil
}
