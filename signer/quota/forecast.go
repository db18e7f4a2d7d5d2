package quota

import "time"

// Forecast is the least that some work takes of a budget.
type Forecast struct {
	Units    Units         // that the work costs
	Rate     float64       // units per second that this replica may count on; zero: no rate is known
	Replicas int           // that share the budget
	Least    time.Duration // until the work is done, were there no other; zero where Rate is
}

// Forecast tells how long work of so many units takes at this replica's equal
// part of the budget, when the vault gives all that is configured. Nothing is
// known before the first part of the quota, and for a Managed HSM.
func (g *Gate) Forecast(units Units) Forecast {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := Forecast{Units: units, Replicas: g.part.Replicas}
	if g.config.ManagedHSM || f.Replicas == 0 {
		return f
	}
	f.Rate = g.control.full * g.control.guard / float64(f.Replicas)
	f.Least = seconds(float64(units) / f.Rate)
	return f
}
