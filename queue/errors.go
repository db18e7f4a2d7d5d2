package queue

import "errors"

// The conditions that callers act upon. Test with errors.Is.
var (
	ErrSettled      = errors.New("delivery is already settled")             // returned by Delivery; no broker was asked
	ErrLockLost     = errors.New("message lock is lost")                    // the lock expired or the message is gone
	ErrTooLarge     = errors.New("message is larger than the queue allows") // nothing was sent
	ErrNotFound     = errors.New("queue does not exist")                    // or it is disabled
	ErrUnauthorized = errors.New("not authorized on this queue")            // the token or the rights do not suffice
)

// Error is a broker's failure, translated once by an adapter.
type Error struct {
	Op    string // what was tried: "receive", "send", "complete", "abandon", "dead-letter", "renew", "browse"
	Queue string // on which queue
	Kind  error  // one of the sentinels, or nil for a passing failure
	Err   error  // the cause, as the SDK reported it
}

// Error names the operation, the queue and the cause.
func (e *Error) Error() string {
	return e.Op + " on queue " + e.Queue + ": " + e.Err.Error()
}

// Unwrap returns Kind (if any) and the cause.
func (e *Error) Unwrap() []error {
	if e.Kind == nil {
		return []error{e.Err}
	}
	return []error{e.Kind, e.Err}
}
