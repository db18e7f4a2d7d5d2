package quota

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Gate lets calls to one vault pass at the pace of its budget. Make one with
// [New] for each budget of each vault and share it.
type Gate struct {
	config Config
	born   time.Time
	wake   chan struct{} // tells the dispatcher to look again
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	closed  bool
	part    Part
	pacer   pacer
	control *controller
	random  *rand.Rand
	turns   *turns
	flights flights
	limit   limit
	stock   stock
	flow    flow
	held    float64 // no call goes before, because the vault asked
	count   State   // its counters only
	waited  float64 // s
}

// New returns a gate, or one error that lists all faults of the configuration.
// Close ends the goroutines that it starts.
func New(config Config) (*Gate, error) {
	if err := errors.Join(config.faults()...); err != nil {
		return nil, fmt.Errorf("quota: %w", err)
	}
	config = config.filled()
	ctx, cancel := context.WithCancel(context.Background()) // until Close
	g := &Gate{
		config: config,
		born:   time.Now(),
		wake:   make(chan struct{}, 1),
		cancel: cancel,
		random: rand.New(config.Random),
		turns:  newTurns(config.Lanes),
		limit:  newLimit(config.MaxInFlight, config.ManagedHSM),
		stock:  newStock(),
	}
	g.control = newController(config.Window.Seconds(), g.fullRate(config.Quota), config.Guard,
		float64(g.born.UnixNano())/1e9, g.random, g.changed)
	g.pacer.balance = -2 * g.random.Float64() // replicas start out of step
	g.tasks.Go(func() { g.dispatch(ctx) })
	if config.ManagedHSM {
		g.part = Part{Replicas: 1}
	} else {
		g.tasks.Go(func() { g.runShare(ctx) })
	}
	return g, nil
}

// Close ends the gate and waits for its goroutines. Calls that wait get
// ErrClosed. Calls in flight may still leave.
func (g *Gate) Close() {
	g.cancel()
	g.tasks.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for _, w := range g.turns.all() {
		g.refuse(w, ErrClosed)
	}
}

// Enter waits for the turn of a call and pays for it. The caller's job and
// lane come from ctx, see [WithCaller]. Every Pass must leave.
//
// It returns the error of ctx when that ends first, a [WaitError] with
// ErrTooLate at once when the turn would come after the deadline of ctx,
// ErrFull at once when Config.MaxWaiting calls wait, and ErrClosed. Then
// nothing was paid. A cost below 1 counts as 1.
func (g *Gate) Enter(ctx context.Context, cost Units) (Pass, error) {
	cost = max(1, cost)
	if err := ctx.Err(); err != nil {
		return Pass{}, err
	}
	g.mu.Lock()
	now := g.now()
	if g.turns.len == 0 && g.ready(now, cost) == 0 {
		pass := g.admit(now, cost)
		g.mu.Unlock()
		return pass, nil
	}
	w, err := g.line(ctx, now, &waiter{cost: cost, since: now})
	g.mu.Unlock()
	if err != nil {
		return Pass{}, err
	}
	return g.await(ctx, w)
}

// again is Enter for the next attempt of a call.
func (g *Gate) again(ctx context.Context, cost Units) (Pass, error) {
	if err := ctx.Err(); err != nil {
		return Pass{}, err
	}
	g.mu.Lock()
	now := g.now()
	wait := 0.1 + 0.1*g.random.Float64()
	if g.part.Slots != nil {
		wait = 0.02
	}
	w, err := g.line(ctx, now, &waiter{cost: cost, since: now, retry: true, notBefore: now + wait})
	g.mu.Unlock()
	if err != nil {
		return Pass{}, err
	}
	return g.await(ctx, w)
}

// line puts w in the line, unless it is too long or its turn would come too
// late.
func (g *Gate) line(ctx context.Context, now float64, w *waiter) (*waiter, error) {
	if g.closed {
		return nil, ErrClosed
	}
	if g.turns.len >= g.config.MaxWaiting && !w.retry {
		return nil, ErrFull
	}
	caller := callerOf(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		if wait := g.estimate(now, w, caller); wait > left {
			return nil, &WaitError{Err: ErrTooLate, Wait: wait, Left: left}
		}
	}
	w.ready = make(chan struct{})
	w.deadline, _ = ctx.Deadline()
	g.turns.add(w, caller)
	g.nudge()
	return w, nil
}

// await waits until the turn of w comes or ctx ends. A turn that came at the
// same moment was paid, and is taken.
func (g *Gate) await(ctx context.Context, w *waiter) (Pass, error) {
	defer TellWaits(ctx)()
	select {
	case <-w.ready:
		return w.pass, w.err
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-w.ready:
		return w.pass, w.err
	default:
		g.turns.remove(w)
		return Pass{}, ctx.Err()
	}
}

// refuse ends the wait of w without a turn.
func (g *Gate) refuse(w *waiter, err error) {
	g.turns.remove(w)
	w.err = err
	close(w.ready)
}

// SetQuota replaces Config.Quota at once, for calls that wait too. It returns
// an error, and changes nothing, if quota is not positive.
func (g *Gate) SetQuota(quota Units) error {
	if quota <= 0 {
		return fmt.Errorf("quota: %d is not positive", quota)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settle(g.now())
	g.config.Quota = quota
	g.control.setFull(g.fullRate(quota))
	g.nudge()
	return nil
}

// settle fills the pacer at the rate so far, before that changes.
func (g *Gate) settle(now float64) { g.pacer.fill(now, g.control.rate()) }

// fullRate is the rate of the fleet that would use the whole quota.
func (g *Gate) fullRate(quota Units) float64 { return float64(quota) / g.config.Window.Seconds() }

// now returns the time since the birth of the gate.
func (g *Gate) now() float64 { return float64(time.Since(g.born)) / 1e9 }

// nudge wakes the dispatcher. It never blocks.
func (g *Gate) nudge() { signal(g.wake) }

// changed tells a change of the controller's mind.
func (g *Gate) changed(why Why) {
	now := g.now()
	change := Change{Why: why, Phase: g.phase(now), Scale: g.control.scale, Rate: g.control.rate()}
	if g.config.Observe != nil {
		g.config.Observe(change)
	}
	tell := g.config.Log.Info
	if why == Trickle {
		tell = g.config.Log.Debug
	}
	tell("vault budget changed", "why", string(why), "phase", string(change.Phase),
		"scale", change.Scale, "units_per_second", change.Rate)
}
