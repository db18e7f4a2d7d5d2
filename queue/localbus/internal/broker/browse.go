package broker

import "time"

// Browse selects messages in sequence order.
type Browse struct {
	From       int64  // lowest sequence number
	Limit      int    // greatest number of messages
	SessionID  string // with HasSession: of this session only
	HasSession bool
}

// Peek returns active, locked, deferred and scheduled messages without locking
// them. None is no error. It reports Disabled or NotFound.
func (q *Queue) Peek(b Browse) ([]Delivery, error) { return nil, nil }

// ReceiveDeferred takes deferred messages by their numbers, all or none, in the
// order given. In peek-lock mode they are locked; on a queue with sessions the
// lock is part of the session, which must be held by somebody. A message
// whose life is over is expired instead and counts as not found.
//
// It reports MessageNotFound (also for a locked message), SessionLockLost,
// Disabled, NotFound or NoRandom.
func (q *Queue) ReceiveDeferred(m Mode, numbers ...int64) ([]Delivery, error) { return nil, nil }

// DeleteOlder removes up to limit active, unlocked messages that were enqueued
// before the given time and returns how many went. It reports Disabled or
// NotFound.
func (q *Queue) DeleteOlder(before time.Time, limit int) (int, error) { return 0, nil }
