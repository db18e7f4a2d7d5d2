package quota

import (
	"context"
	"math"
	"time"
)

// longestSleep is how long the dispatcher trusts what it computed, in seconds.
const longestSleep = 1

// dispatch gives turns until ctx ends. It is the only one that gives them to
// calls that wait.
func (g *Gate) dispatch(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.wake:
		case <-timer.C:
		}
		if wait := g.serve(); wait > 0 {
			timer.Reset(time.Duration(math.Ceil(wait * 1e9)))
		} else {
			timer.Stop()
		}
	}
}

// serve lets all calls go whose turn has come. It returns how long to sleep
// then, and zero if nothing waits.
func (g *Gate) serve() float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.turns.len > 0 {
		now := g.now()
		w := g.next(now)
		if w == nil {
			return g.sleep(now, g.turns.due(now)-now)
		}
		if wait := g.ready(now, w.cost); wait > 0 {
			return g.sleep(now, wait)
		}
		g.turns.take(w)
		g.waited += now - w.since
		w.pass = g.admit(now, w.cost)
		close(w.ready)
	}
	return 0
}

// sleep bounds a wait, and asks for slots meanwhile.
func (g *Gate) sleep(now, wait float64) float64 {
	return max(1e-6, g.restock(now, min(longestSleep, wait)))
}

// ready returns how long a call must wait, were it the next. The part of the
// subscription is taken when it returns zero.
func (g *Gate) ready(now float64, cost Units) float64 {
	switch {
	case g.closed || g.part.Replicas == 0 && g.part.Slots == nil:
		return longestSleep
	case now < g.held:
		return g.held - now
	}
	if wait := g.turn(now, cost); wait > 0 {
		return wait
	}
	if s := g.config.Subscription; s != nil {
		return s.take(cost, max(1, g.part.Replicas))
	}
	return 0
}

// turn returns how long a call must wait because of this vault.
func (g *Gate) turn(now float64, cost Units) float64 {
	full := g.flights.len() >= g.places()
	switch {
	case g.config.ManagedHSM && full:
		return longestSleep
	case g.config.ManagedHSM:
		return 0
	case g.part.Slots != nil && full:
		return longestSleep
	case g.part.Slots != nil:
		return g.stock.wait(now, cost)
	}
	g.settle(now)
	g.control.tick(now)
	switch {
	case g.control.pause.on:
		return g.control.probeIn(now)
	case full:
		return longestSleep
	}
	return g.pacer.wait(g.control.rate())
}

// admit pays for a call that goes now.
func (g *Gate) admit(now float64, cost Units) Pass {
	call := flight{sent: now, cost: cost, probe: g.control.pause.on, slotted: g.part.Slots != nil}
	switch {
	case g.config.ManagedHSM:
	case call.slotted:
		g.stock.take(&call)
		g.flow.add(now, cost)
	default:
		g.pacer.pay(cost)
		g.control.sent(now, call.probe)
	}
	g.count.Sent++
	g.count.Used += int64(cost)
	slot, generation := g.flights.add(call)
	return Pass{gate: g, generation: generation, cost: cost, slot: slot}
}

// places is the number of calls that may be in flight.
func (g *Gate) places() int {
	if g.config.ManagedHSM {
		return g.limit.at(0)
	}
	calls := g.control.full * g.control.guard / float64(max(1, g.part.Replicas)) / max(1, g.control.mean)
	return g.limit.at(calls)
}

// estimate returns the least time until the turn of w.
func (g *Gate) estimate(now float64, w *waiter, c Caller) time.Duration {
	wait := max(0, g.held-now, w.notBefore-now)
	if g.config.ManagedHSM || g.part.Slots != nil || g.part.Replicas == 0 {
		return seconds(wait)
	}
	if g.control.pause.on {
		wait = max(wait, g.control.probeIn(now))
	}
	units := 0.0
	if !w.retry {
		units = g.turns.ahead(c, w.cost)
	}
	g.settle(now)
	return seconds(max(wait, (units-g.pacer.balance)/g.control.rate()))
}

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }
