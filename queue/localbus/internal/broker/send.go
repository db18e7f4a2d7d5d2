package broker

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// maxKey is the limit for message id, session id and partition key, in
// characters.
const maxKey = 128

// Send stores messages, all or none, and returns their sequence numbers in
// order. A message that duplicate detection drops counts as accepted; its
// number is that of no message. A queue that forwards returns its own numbers.
//
// It reports Invalid, TooLarge, Full, Disabled, SessionRequired, NoRandom or
// NotFound. Clients cannot send to a dead-letter queue: Invalid.
func (q *Queue) Send(messages ...Message) ([]int64, error) {
	e, now := q.entity, q.entity.enter()
	defer e.leave()
	if err := q.sendable("send"); err != nil {
		return nil, err
	}
	records, err := q.prepare(messages)
	if err != nil {
		return nil, err
	}
	e.touch(now)
	numbers := make([]int64, len(records))
	for i, r := range records {
		numbers[i] = e.accept(r, now)
	}
	return numbers, nil
}

// prepare checks messages, completes them, and changes nothing.
func (q *Queue) prepare(messages []Message) ([]*record, error) {
	records := make([]*record, len(messages))
	var total int64
	for i := range messages {
		r := &record{msg: messages[i]}
		if r.msg.Size <= 0 {
			r.msg.Size = len(r.msg.Bare)
		}
		if err := q.checkMessage("send", &r.msg); err != nil {
			return nil, err
		}
		if err := q.fillID(r); err != nil {
			return nil, err
		}
		total += r.size()
		records[i] = r
	}
	return records, q.entity.checkRoom("send", total)
}

// fillID gives r a message id if it has none.
func (q *Queue) fillID(r *record) error {
	if r.msg.ID != "" {
		return nil
	}
	t, err := q.entity.broker.random.token()
	if err != nil {
		return &Error{Op: "send", Queue: q.Path(), Kind: NoRandom, Err: err}
	}
	r.msg.ID, r.filled = hex.EncodeToString(t[:]), true
	return nil
}

// checkMessage holds m against the rules for messages of this queue.
func (q *Queue) checkMessage(op string, m *Message) error {
	p := &q.entity.props
	if int64(m.Size) > p.MaxMessageBytes {
		return q.fail(op, TooLarge, fmt.Sprintf("message of %d bytes, limit %d", m.Size, p.MaxMessageBytes))
	}
	if p.RequiresSession && !m.HasSession {
		return q.fail(op, SessionRequired, "the message names no session")
	}
	if err := q.checkKey(op, "message id", m.ID); err != nil {
		return err
	}
	if err := q.checkKey(op, "session id", m.SessionID); err != nil {
		return err
	}
	return q.checkKey(op, "partition key", m.PartitionKey)
}

// checkKey returns Invalid when a key is too long.
func (q *Queue) checkKey(op, field, value string) error {
	if len(value) <= maxKey {
		return nil
	}
	if n := utf8.RuneCountInString(value); n > maxKey {
		return q.fail(op, Invalid, fmt.Sprintf("%s has %d characters, limit %d", field, n, maxKey))
	}
	return nil
}

// checkRoom reports Full when size more bytes do not fit. Dead letters count.
func (e *entity) checkRoom(op string, size int64) error {
	limit := int64(e.props.MaxSizeMegabytes) << 20
	if e.bytes+size > limit {
		return e.main.fail(op, Full, fmt.Sprintf("%d bytes held, %d to add, limit %d", e.bytes, size, limit))
	}
	return nil
}

// accept stores r unless it is a duplicate, and returns its number.
func (e *entity) accept(r *record, now time.Time) int64 {
	if e.props.RequiresDuplicateDetect && e.seen.check(r.msg, now, e.props.DuplicateDetectionWindow) {
		e.last++
		return e.last
	}
	return e.store(r, now)
}

// store puts a new record into the queue, available or scheduled, and returns
// its number.
func (e *entity) store(r *record, now time.Time) int64 {
	e.last++
	number := e.last
	r.number, r.enqueued = number, now
	r.ttl = shorter(r.msg.TTL, e.props.DefaultTimeToLive)
	start := now
	if r.msg.ScheduledAt.After(now) {
		r.state, start = StateScheduled, r.msg.ScheduledAt
	}
	if r.ttl > 0 {
		r.expires = start.Add(r.ttl)
	}
	e.main.add(r)
	if r.state == StateScheduled {
		e.wake(r, start)
	} else {
		e.offer(r, now)
	}
	return number
}

// shorter returns the lesser of two lives, where zero or less is unlimited.
func shorter(a, b time.Duration) time.Duration {
	if a <= 0 || b > 0 && b < a {
		return max(b, 0)
	}
	return a
}

// missing returns the error for a sequence number that names no message.
func (q *Queue) missing(op string, number int64) error {
	return q.fail(op, MessageNotFound, "sequence number "+strconv.FormatInt(number, 10))
}
