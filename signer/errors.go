package signer

import (
	"errors"
	"time"

	"github.com/signmill/signmill/schema"
)

// Error is a failure of a cryptographic operation, translated once at the
// edge.
type Error struct {
	Code       schema.Code   // from schema's vocabulary
	Message    string        // for people: the key, what was wrong, what to do; holds no secret
	RetryAfter time.Duration // the vault's own hint; zero when it gave none
	Err        error         // the cause; nil when the check was made here
}

// Error returns the message and the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether the same call may succeed later with nothing
// changed by people.
func (e *Error) Retryable() bool {
	return e.Code == schema.CodeThrottled || e.Code == schema.CodeUnavailable
}

// AsError returns err as an [*Error]. An error of any other type is a defect:
// it becomes one with CodeInternal whose message does not repeat the text.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: schema.CodeInternal, Message: "the operation failed for a reason that the worker does not know", Err: err}
}
