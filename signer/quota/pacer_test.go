package quota

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestPacerBound checks the promise of the pacer: any span sees at most
// rate x (span + burst) and one call more, whatever the costs and the pauses.
func TestPacerBound(t *testing.T) {
	t.Parallel()
	const rate = 400.0
	rng := rand.New(rand.NewPCG(1, 1))
	var p pacer
	var at, cost []float64
	for now := 0.0; now < 60; {
		p.fill(now, rate)
		if wait := p.wait(rate); wait > 0 {
			now += wait + 0.001*rng.Float64()
			continue
		}
		c := Units(1 << rng.IntN(5))
		p.pay(c)
		at, cost = append(at, now), append(cost, float64(c))
		if rng.IntN(500) == 0 {
			now += rng.Float64()
		}
	}
	for i := range at {
		sum := 0.0
		for j := i; j < len(at) && at[j] <= at[i]+10; j++ {
			sum += cost[j]
			if most := rate*(at[j]-at[i]+burst) + 16 + 1e-6; sum > most {
				t.Fatalf("%.0f units in %.3f s, at most %.0f are allowed", sum, at[j]-at[i], most)
			}
		}
	}
}

func TestPacer(t *testing.T) {
	t.Parallel()
	p := pacer{balance: -1}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	near("debt of 1 at 10/s", p.wait(10), 0.1)
	p.fill(0.05, 10)
	near("half of it later", p.wait(10), 0.05)
	near("at twice the rate from now on", p.wait(20), 0.025)
	p.fill(100, 10)
	near("kept of a long idle time", p.balance, 0.5)
	p.pay(16)
	near("a dear call goes into debt", p.wait(10), 1.55)
}
