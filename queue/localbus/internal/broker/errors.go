package broker

import "errors"

// Kind classifies an [Error].
type Kind int

// The kinds of error. The zero value belongs to no error of this package.
const (
	NotFound        Kind = iota + 1 // no such queue, or it was deleted
	Exists                          // a queue of that name exists already
	Invalid                         // a property, a message or an argument breaks a rule; Detail names field, limit and value
	Disabled                        // the queue's status forbids the operation
	Full                            // the queue has reached its size limit
	TooLarge                        // a message is larger than the queue allows
	LockLost                        // the lock expired, or the message is gone
	MessageNotFound                 // no message of that sequence number in the state asked for
	SessionRequired                 // the queue requires sessions and the message or the consumer names none
	SessionRefused                  // the queue has no sessions and a session was asked for
	SessionLocked                   // the session is held by another consumer
	SessionLockLost                 // the session's lock expired or was never taken
	Timeout                         // the wait for a session ended with its context
	Closed                          // the consumer or the broker is closed
	NoRandom                        // the source of lock tokens failed
)

// kindNames are the plain words for the kinds, in their order.
var kindNames = [...]string{
	"unknown", "not found", "exists already", "invalid", "disabled", "full", "too large",
	"lock lost", "message not found", "session required", "session refused",
	"session locked", "session lock lost", "timeout", "closed", "no randomness",
}

// String returns the kind in plain words.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return kindNames[0]
	}
	return kindNames[k]
}

// Error is what every method of this package returns on failure.
type Error struct {
	Op     string // what was tried: "create", "send", "settle", ...
	Queue  string // path of the queue, as the caller or the queue spells it
	Kind   Kind   // what happened
	Detail string // more words, "" for none
	Err    error  // the cause, nil for none
}

// Error names the operation, the queue, the kind, the detail and the cause.
func (e *Error) Error() string {
	s := e.Op + " on queue " + e.Queue + ": " + e.Kind.String()
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first [Error] in err's chain, or zero.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return 0
}
