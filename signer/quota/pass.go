package quota

import (
	"context"
	"time"
)

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

// Pass is the right to make one call.
type Pass struct {
	gate       *Gate
	generation uint64
	cost       Units
	slot       int32
}

// longestHold bounds what a vault may ask for with Retry-After, in seconds.
const longestHold = 60

// Leave ends the call. Nothing is ever refunded. Only the first Leave of a
// Pass counts; the zero Pass leaves nothing.
func (p Pass) Leave(r Result) {
	if g := p.gate; g != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		if call, ok := g.flights.take(p.slot, p.generation); ok {
			g.leave(call, r)
		}
	}
}

// Again waits for the turn of the next attempt of the same call, after Leave.
// The call pays again. It goes to the head of its lane after a short random
// wait. Errors are those of Enter, except that ErrFull is not among them. The
// zero Pass gets ErrClosed.
func (p Pass) Again(ctx context.Context) (Pass, error) {
	if p.gate == nil {
		return Pass{}, ErrClosed
	}
	return p.gate.again(ctx, p.cost)
}

// leave takes in the end of a call.
func (g *Gate) leave(call flight, r Result) {
	now := g.now()
	latency := now - call.sent
	switch r.Outcome {
	case Accepted:
		g.count.Accepted++
		g.limit.observe(latency, g.flights.len()+1)
	case Throttled:
		g.count.Throttled++
		g.limit.failed()
		g.hold(now, r.RetryAfter)
	default:
		g.count.Failed++
		g.limit.failed()
	}
	switch {
	case g.config.ManagedHSM:
	case call.slotted:
		g.stock.end(call, r)
	default:
		g.judge(now, call, r.Outcome)
	}
	if g.turns.len > 0 {
		g.nudge()
	}
}

// judge tells the gate's own controller.
func (g *Gate) judge(now float64, call flight, o Outcome) {
	g.settle(now)
	switch o {
	case Accepted:
		g.control.accepted(now, call.sent, call.cost)
	case Throttled:
		g.control.throttled(now, call.sent, call.cost)
	default:
		g.control.failed(now, call.sent)
	}
}

// hold stops the whole gate for as long as the vault asked, and up to one
// spacing more, so that replicas do not come back together. Calls whose
// deadline comes before are told so at once.
func (g *Gate) hold(now float64, after time.Duration) {
	if after <= 0 {
		return
	}
	until := now + min(longestHold, after.Seconds())
	g.control.held = max(g.control.held, until)
	if until <= g.held {
		return
	}
	g.held = until + g.random.Float64()*g.control.spacing()
	for _, w := range g.turns.all() {
		if w.deadline.IsZero() {
			continue
		}
		wait, left := seconds(g.held-now), time.Until(w.deadline)
		if wait > left {
			g.refuse(w, &WaitError{Err: ErrTooLate, Wait: wait, Left: left})
		}
	}
}
