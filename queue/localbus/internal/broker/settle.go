package broker

import (
	"fmt"
	"time"
)

// Outcome is the way in which a lock ends.
type Outcome int

// The outcomes. The zero value is none of them and is refused as Invalid.
const (
	Complete   Outcome = iota + 1 // the message is done and removed
	Abandon                       // available again with a higher delivery count; a deferred message stays deferred
	Defer                         // set aside for ReceiveDeferred
	DeadLetter                    // moved to the dead-letter queue; in a dead-letter queue: it stays, marked anew
	Release                       // available again with the same delivery count
)

// Settlement describes how locks end.
type Settlement struct {
	Outcome     Outcome
	Reason      string     // DeadLetter only: becomes the application property DeadLetterReason; "" for none
	Description string     // DeadLetter only: becomes the application property DeadLetterErrorDescription; "" for none
	Modify      []Property // Abandon, Defer and DeadLetter: set over the application properties; at most 256 in the life of a message
}

// maxModified is the most properties that settlements may set on one message.
const maxModified = 256

// Settle ends the locks of tokens in one way, all or none. Which consumer took
// the messages does not matter. It reports LockLost when one of the locks has
// expired, was settled or never was, Invalid, or NotFound.
func (q *Queue) Settle(s Settlement, tokens ...Token) error {
	e, now := q.entity, q.entity.enter()
	defer e.leave()
	if s.Outcome < Complete || s.Outcome > Release {
		return q.fail("settle", Invalid, "unknown outcome")
	}
	if err := q.holds("settle", tokens); err != nil {
		return err
	}
	for _, t := range tokens {
		if len(q.locks[t].overlay)+len(s.Modify) > maxModified {
			return q.fail("settle", Invalid, fmt.Sprintf("more than %d modified properties", maxModified))
		}
	}
	for _, t := range tokens {
		if r := q.locks[t]; r != nil {
			e.settle(r, s, now)
		}
	}
	return nil
}

// holds returns an error unless q is there and every token is a lock of it.
func (q *Queue) holds(op string, tokens []Token) error {
	if err := q.open(op); err != nil {
		return err
	}
	for _, t := range tokens {
		if q.locks[t] == nil {
			return q.fail(op, LockLost, "")
		}
	}
	return nil
}

// settle ends the lock of r.
func (e *entity) settle(r *record, s Settlement, now time.Time) {
	if s.Outcome == Complete {
		e.drop(r)
		return
	}
	e.unlock(r)
	switch s.Outcome {
	case Abandon:
		r.modify(s.Modify...)
		e.failed(r, now)
	case Defer:
		r.modify(s.Modify...)
		r.become(StateDeferred)
	case DeadLetter:
		e.condemn(r, s, now)
	case Release:
		e.giveBack(r, now)
	}
}

// condemn is the dead-lettering of r, now unlocked, by its receiver.
func (e *entity) condemn(r *record, s Settlement, now time.Time) {
	if r.queue == &e.main {
		e.deadLetter(r, now, s)
		return
	}
	r.mark(s)
	e.giveBack(r, now)
}

// Renew extends locks by the queue's LockDuration from now, all or none, and
// returns their new ends in order. A lock of a session message is as long as
// its session's and is not extended alone. It reports LockLost or NotFound.
func (q *Queue) Renew(tokens ...Token) ([]time.Time, error) {
	e, now := q.entity, q.entity.enter()
	defer e.leave()
	if err := q.holds("renew", tokens); err != nil {
		return nil, err
	}
	ends := make([]time.Time, len(tokens))
	for i, t := range tokens {
		r := q.locks[t]
		if r.session == nil {
			r.until = now.Add(e.props.LockDuration)
			e.wake(r, r.until)
		}
		ends[i] = r.lockedUntil()
	}
	return ends, nil
}
