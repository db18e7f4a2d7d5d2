package broker

import (
	"context"
	"time"
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

// AcceptSession locks a session for a new consumer. By name it does not wait:
// a session that has never been seen comes into being. With Next it waits until a
// session is free, first come first served, or ctx ends.
//
// It reports SessionLocked, SessionRefused on a queue without sessions,
// Timeout when ctx ended (wrapping its cause), Invalid, Disabled or NotFound.
func (q *Queue) AcceptSession(ctx context.Context, c SessionConfig) (*Consumer, error) {
	return nil, nil
}

// Session returns the id of the consumer's session and the end of its lock;
// ok is false for a consumer without a session.
func (c *Consumer) Session() (id string, lockedUntil time.Time, ok bool) {
	return "", time.Time{}, false
}

// RenewSession extends the lock of a session by the queue's LockDuration from
// now and returns its new end. It reports SessionLockLost when nobody holds
// the session, SessionRefused, or NotFound.
func (q *Queue) RenewSession(id string) (time.Time, error) { return time.Time{}, nil }

// SessionState returns the state of a session, nil for none. The slice is
// shared: read only. Errors as in RenewSession.
func (q *Queue) SessionState(id string) ([]byte, error) { return nil, nil }

// SetSessionState stores the state of a session; empty clears it. It outlives
// the session's messages and counts against no limit but that of one message
// (TooLarge). Errors as in RenewSession.
func (q *Queue) SetSessionState(id string, state []byte) error { return nil }

// SessionFilter selects sessions.
type SessionFilter struct {
	UpdatedSince time.Time // state was set after this time; zero: has active messages or state
	Skip         int       // leave out so many
	Top          int       // greatest number; zero: all
}

// Sessions returns session ids in sorted order. It reports SessionRefused or
// NotFound.
func (q *Queue) Sessions(f SessionFilter) ([]string, error) { return nil, nil }
