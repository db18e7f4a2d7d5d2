package quota

import "context"

// runShare runs the share until ctx ends.
func (g *Gate) runShare(ctx context.Context) {
	tell := func(p Part) { g.setPart(ctx, p) }
	if err := g.config.Share.Run(ctx, tell); err != nil && ctx.Err() == nil {
		g.config.Log.ErrorContext(ctx, "share of the vault budget is no longer kept current", "err", err)
	}
}

// setPart takes in what the share tells.
func (g *Gate) setPart(ctx context.Context, p Part) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	p.Replicas = max(1, p.Replicas)
	paced := g.part.Replicas > 0 && g.part.Slots == nil
	if p.Slots == nil && !paced {
		g.control.start(now, p.Replicas)
		g.pacer.at = now // the random debt stays
		if g.part.Slots != nil {
			// It owes what it was granted ahead, and a random debt keeps
			// replicas that lost a store together out of step.
			g.pacer.balance = min(g.pacer.balance, -2*g.random.Float64())
		}
	}
	g.settle(now)
	slotted := p.Slots != nil
	turned := slotted != (g.part.Slots != nil)
	g.part = p
	g.control.setMembers(now, p.Replicas)
	if p.Scale > 0 {
		g.control.believe(now, p.Scale)
	}
	if slotted {
		g.stock.void(p.Epoch)
		g.startAsking(ctx)
	}
	switch {
	case turned && slotted:
		g.changed(Slotted)
	case turned:
		g.changed(Paced)
	}
	g.nudge()
}

// startAsking starts the goroutines that a source of slots needs, once.
func (g *Gate) startAsking(ctx context.Context) {
	if g.stock.started || ctx.Err() != nil {
		return
	}
	g.stock.started = true
	g.tasks.Go(func() { g.askLoop(ctx) })
	g.tasks.Go(func() { g.reportLoop(ctx) })
}
