package quota

import (
	"context"
	"math"
	"slices"
)

// next returns the call that goes next, or nil. With slots it is one that fits
// into the stretch whose time comes first: while a dear call waits for a later
// one, the time would be lost.
func (g *Gate) next(now float64) *waiter {
	if g.part.Slots == nil {
		return g.turns.next(now, math.MaxInt)
	}
	g.stock.tidy(now)
	if w := g.turns.next(now, g.stock.first()); w != nil {
		return w
	}
	return g.turns.next(now, g.stock.most())
}

// restock wakes the goroutine that asks, if calls wait and little is left, or
// nothing for the call whose turn it is. It returns how long to sleep at most.
func (g *Gate) restock(now, sleep float64) float64 {
	s := &g.stock
	if g.part.Slots == nil || s.asking || !s.short(g.turns.units) && !g.misfit(now) {
		return sleep
	}
	if now < s.askAt {
		return min(sleep, s.askAt-now)
	}
	s.asking = true
	signal(s.ask)
	return sleep
}

// misfit reports whether nothing in hand is enough for the call whose turn it is.
func (g *Gate) misfit(now float64) bool {
	next := g.turns.next(now, math.MaxInt)
	if next == nil {
		return false
	}
	_, _, ok := g.stock.find(now, next.cost)
	return !ok
}

// askLoop asks for slots whenever it is woken, until ctx ends.
func (g *Gate) askLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.stock.ask:
		}
		if slots, want, done := g.question(); len(want) > 0 {
			bounded, cancel := context.WithTimeout(ctx, seconds(askPatience))
			grant, err := slots.Ask(bounded, want, done)
			cancel()
			g.answered(ctx, grant, err)
		}
	}
}

// question returns what to ask for: calls that wait beyond what is in hand. It
// returns nothing if their waiting ended meanwhile.
func (g *Gate) question() (Slots, []Units, []Done) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := &g.stock
	want := g.turns.costs(s.left(), mostWanted)
	if g.misfit(g.now()) {
		want = g.turns.costs(0, mostWanted)
	}
	if g.part.Slots == nil || len(want) == 0 {
		s.asking = false
		return nil, nil, nil
	}
	s.dearest = slices.Max(want)
	done := aged(s.done, s.sent, g.now())
	s.done, s.sent = nil, s.sent[:0]
	return g.part.Slots, want, done
}

// answered takes in the answer of an ask.
func (g *Gate) answered(ctx context.Context, grant Grant, err error) {
	if err != nil && ctx.Err() == nil {
		g.config.Log.WarnContext(ctx, "vault budget: no slots were granted", "err", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	g.stock.asking = false
	switch {
	case err != nil:
		g.stock.askAt = now + askPause
	case g.part.Slots != nil:
		g.stock.add(now, grant)
	}
	g.nudge()
}

// reportLoop reports what cannot wait, until ctx ends.
func (g *Gate) reportLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.stock.report:
		}
		slots, done := g.urgent()
		if slots == nil {
			continue
		}
		bounded, cancel := context.WithTimeout(ctx, seconds(askPatience))
		err := slots.Report(bounded, done)
		cancel()
		if err != nil && ctx.Err() == nil {
			g.config.Log.WarnContext(ctx, "vault budget: results were not reported", "err", err)
		}
	}
}

func (g *Gate) urgent() (Slots, []Done) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := &g.stock
	done := aged(s.urgent, s.urgentAt, g.now())
	s.urgent, s.urgentAt = nil, s.urgentAt[:0]
	return g.part.Slots, done
}
