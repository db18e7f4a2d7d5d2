package broker

import (
	"fmt"
	"time"
)

// Browse selects messages in sequence order.
type Browse struct {
	From       int64  // lowest sequence number
	Limit      int    // greatest number of messages
	SessionID  string // with HasSession: of this session only
	HasSession bool
}

// Peek returns active, locked, deferred and scheduled messages without locking
// them. None is no error. It reports Disabled or NotFound.
func (q *Queue) Peek(b Browse) ([]Delivery, error) {
	e, now := q.entity, q.entity.enter()
	defer e.leave()
	if err := q.readable("peek"); err != nil {
		return nil, err
	}
	var views []Delivery
	for r := range q.all.from(b.From) {
		if len(views) >= b.Limit {
			break
		}
		if !b.HasSession || r.msg.HasSession && r.msg.SessionID == b.SessionID {
			views = append(views, r.view())
		}
	}
	e.touch(now)
	return views, nil
}

// ReceiveDeferred takes deferred messages by their numbers, all or none, in the
// order given. In peek-lock mode they are locked; on a queue with sessions the
// lock is part of the session, which must be held by somebody. A message
// whose life is over is expired instead and counts as not found.
//
// It reports MessageNotFound (also for a locked message), SessionLockLost,
// Invalid for a number that comes twice, TooLarge for several messages of more
// than 64 MiB together, Disabled, NotFound or NoRandom.
func (q *Queue) ReceiveDeferred(m Mode, numbers ...int64) ([]Delivery, error) {
	e, now := q.entity, q.entity.enter()
	defer e.leave()
	if err := q.readable("receive deferred"); err != nil {
		return nil, err
	}
	records, err := q.deferred(numbers, now)
	if err != nil {
		return nil, err
	}
	deliveries := make([]Delivery, len(records))
	for i, r := range records {
		if deliveries[i], err = e.take(r, m, now); err != nil {
			e.undo(q, deliveries[:i], now)
			return nil, err
		}
	}
	e.touch(now)
	return deliveries, nil
}

// maxDeferred bounds the bytes of several messages that leave in one call.
const maxDeferred = 64 << 20

// deferred returns the deferred records of numbers, ready to be taken.
func (q *Queue) deferred(numbers []int64, now time.Time) ([]*record, error) {
	const op = "receive deferred"
	records := make([]*record, len(numbers))
	seen := make(map[int64]bool, len(numbers))
	var total int64
	for i, n := range numbers {
		r := q.all.find(n)
		if r != nil && r.state == StateDeferred && !r.locked && r.expired(now) {
			q.entity.expire(r, now)
			r = nil
		}
		switch {
		case seen[n]:
			return nil, q.fail(op, Invalid, "a sequence number comes twice")
		case r == nil || r.state != StateDeferred || r.locked:
			return nil, q.missing(op, n)
		case r.session != nil && r.session.holder == nil:
			return nil, q.fail(op, SessionLockLost, "")
		}
		records[i], seen[n] = r, true
		if total += r.size(); total > maxDeferred && i > 0 {
			return nil, q.fail(op, TooLarge, fmt.Sprintf("more than %d bytes at once", maxDeferred))
		}
	}
	return records, nil
}

// DeleteOlder removes up to limit active, unlocked messages that were enqueued
// before the given time and returns how many went. It reports Disabled or
// NotFound.
func (q *Queue) DeleteOlder(before time.Time, limit int) (int, error) {
	e, now := q.entity, q.entity.enter()
	defer e.leave()
	if err := q.readable("delete"); err != nil {
		return 0, err
	}
	var old []*record
	for r := range q.all.from(0) {
		if len(old) >= limit {
			break
		}
		if r.shelf != nil && r.enqueued.Before(before) {
			old = append(old, r)
		}
	}
	for _, r := range old {
		e.drop(r)
	}
	e.touch(now)
	return len(old), nil
}
