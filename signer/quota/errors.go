package quota

import (
	"errors"
	"fmt"
	"time"
)

// The reasons why a call gets no turn, besides the end of its context.
var (
	ErrFull    = errors.New("too many calls wait for this vault")
	ErrTooLate = errors.New("the call cannot be sent before its deadline")
	ErrClosed  = errors.New("the gate is closed")
	ErrOpen    = errors.New("the last calls got no answer")
)

// WaitError is ErrTooLate or ErrOpen with the wait that it rests on.
type WaitError struct {
	Err  error
	Wait time.Duration // estimated until a call can be sent
	Left time.Duration // until the deadline; zero with ErrOpen
}

// Error tells the times, to the millisecond.
func (e *WaitError) Error() string {
	if e.Left == 0 {
		return fmt.Sprintf("%v: the next may go in %s", e.Err, e.Wait.Round(time.Millisecond))
	}
	return fmt.Sprintf("%v: its turn comes in about %s, and %s are left",
		e.Err, e.Wait.Round(time.Millisecond), e.Left.Round(time.Millisecond))
}

// Unwrap returns the cause: ErrTooLate or ErrOpen.
func (e *WaitError) Unwrap() error { return e.Err }
