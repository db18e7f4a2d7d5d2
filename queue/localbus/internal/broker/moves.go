package broker

import (
	"strconv"
	"time"
)

// The reasons and descriptions that the service gives to its own dead letters.
const (
	reasonCount   = "MaxDeliveryCountExceeded"
	reasonExpired = "TTLExpiredException"
	reasonForward = "ForwardingFailed"

	propertyReason      = "DeadLetterReason"
	propertyDescription = "DeadLetterErrorDescription"
)

// add puts r, which is in no queue, into q in its present state. It is not
// yet available.
func (q *Queue) add(r *record) {
	e := q.entity
	r.queue = q
	q.all.add(r)
	q.states[r.state]++
	e.bytes += r.size()
	if q == &e.main && e.props.RequiresSession {
		r.session = e.session(r.msg.SessionID)
		r.session.messages++
	}
}

// drop takes r out of its queue altogether.
func (e *entity) drop(r *record) {
	q, s := r.queue, r.session
	e.wake(r, time.Time{})
	if r.locked {
		e.unlock(r)
	}
	if r.shelf != nil {
		r.shelf.remove(r)
	}
	q.all.remove(r)
	q.states[r.state]--
	e.bytes -= r.size()
	r.queue, r.session = nil, nil
	if s != nil {
		s.messages--
		e.review(s)
	}
}

// become changes the state of r.
func (r *record) become(s State) {
	r.queue.states[r.state]--
	r.queue.states[s]++
	r.state = s
}

// home returns the shelf where r is available.
func (r *record) home() *shelf {
	if r.session != nil {
		return &r.session.shelf
	}
	return &r.queue.shelf
}

// offer makes r available, unless its life is over or it has to move on.
func (e *entity) offer(r *record, now time.Time) {
	switch {
	case r.expired(now):
		e.expire(r, now)
	case r.queue == &e.main && e.props.ForwardTo != "" && !r.moved:
		e.drop(r)
		e.parcels = append(e.parcels, parcel{rec: r, to: e.props.ForwardTo})
	default:
		e.wake(r, r.expires)
		home := r.home()
		home.put(r)
		e.announce(home)
		if r.session != nil {
			e.review(r.session)
		}
	}
}

// activate appends a scheduled record to the queue under a new number.
func (e *entity) activate(r *record, at time.Time) {
	q := r.queue
	q.all.remove(r)
	e.last++
	r.number, r.enqueued = e.last, at
	q.all.add(r)
	r.become(StateActive)
	e.offer(r, at)
}

// take gives r away, which is available or deferred: for good, or under a lock.
// Only the latter can fail, and then changes nothing.
func (e *entity) take(r *record, m Mode, now time.Time) (Delivery, error) {
	if m == ReceiveAndDelete {
		d := r.view()
		e.drop(r)
		return d, nil
	}
	t, err := r.queue.freshToken()
	if err != nil {
		return Delivery{}, err
	}
	if r.shelf != nil {
		r.shelf.remove(r)
	}
	e.lock(r, t, now)
	d := r.view()
	d.LockToken, d.LockedUntil = t, r.lockedUntil()
	return d, nil
}

// undo gives back what was taken under locks just now.
func (e *entity) undo(q *Queue, deliveries []Delivery, now time.Time) {
	for _, d := range deliveries {
		r := q.locks[d.LockToken]
		e.unlock(r)
		e.giveBack(r, now)
	}
}

// lock puts r, which is on no shelf, under a lock.
func (e *entity) lock(r *record, t Token, now time.Time) {
	r.locked, r.token = true, t
	r.queue.locks[t] = r
	if r.session != nil {
		e.wake(r, time.Time{})
		r.session.locked.append(r)
		return
	}
	r.until = now.Add(e.props.LockDuration)
	e.wake(r, r.until)
}

// unlock ends the lock of r and leaves it on no shelf.
func (e *entity) unlock(r *record) {
	r.locked = false
	delete(r.queue.locks, r.token)
	if r.session != nil {
		r.session.locked.remove(r)
		return
	}
	e.wake(r, time.Time{})
}

// failed is a delivery of r, now unlocked, that came to nothing.
func (e *entity) failed(r *record, now time.Time) {
	if r.queue == &e.main {
		r.failures++
		if r.failures >= e.props.MaxDeliveryCount {
			n := strconv.Itoa(e.props.MaxDeliveryCount)
			e.deadLetter(r, now, Settlement{
				Reason:      reasonCount,
				Description: "Message could not be consumed after " + n + " delivery attempts.",
			})
			return
		}
	}
	e.giveBack(r, now)
}

// giveBack makes r, now unlocked, available again; a deferred one stays aside.
func (e *entity) giveBack(r *record, now time.Time) {
	if r.state != StateDeferred {
		e.offer(r, now)
	}
}

// expire ends the life of r, which is not locked. Dead letters never get here.
func (e *entity) expire(r *record, now time.Time) {
	if e.props.DeadLetterOnExpiration {
		e.deadLetter(r, now, Settlement{
			Reason:      reasonExpired,
			Description: "The message expired and was dead lettered.",
		})
		return
	}
	e.drop(r)
}

// deadLetter moves r from the queue to its dead-letter queue, or to where dead
// letters are forwarded.
func (e *entity) deadLetter(r *record, now time.Time, s Settlement) {
	e.drop(r)
	r.state, r.expires = StateActive, time.Time{}
	r.source = e.name
	r.mark(s)
	if to := e.props.ForwardDeadLettersTo; to != "" {
		e.parcels = append(e.parcels, parcel{rec: r, to: to, dead: true})
		return
	}
	e.dead.add(r)
	e.offer(r, now)
}

// mark notes on r why it is a dead letter.
func (r *record) mark(s Settlement) {
	r.modify(s.Modify...)
	if s.Reason != "" {
		r.modify(Property{propertyReason, s.Reason})
	}
	if s.Description != "" {
		r.modify(Property{propertyDescription, s.Description})
	}
}
