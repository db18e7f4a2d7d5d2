package quotabench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/signer/quota/redisshare/redistest"
)

// cell is one run, up to its seed.
type cell struct {
	scenario   scenario
	rules      Rules // Shape, Charged and Hint
	keys       mix
	replicas   int
	contestant contestant
}

// vault is the vault's name in the tables.
func (c cell) vault() string {
	name := []string{string(c.rules.Shape)}
	if c.rules.Charged {
		name = append(name, "charged")
	}
	if c.rules.Hint {
		name = append(name, "hint")
	}
	return strings.Join(name, "+")
}

// String is what FILTER is matched with.
func (c cell) String() string {
	return fmt.Sprintf("%s/%s/%s/K=%d/%s", c.scenario.name, c.vault(), c.keys.name, c.replicas, c.contestant.name)
}

// run computes the figures for one seed.
func (c cell) run(t *testing.T, seed uint64) (worst figures) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(seed, 1))
		var lanes []*lane
		for i := range max(1, c.scenario.vaults) {
			lanes = append(lanes, c.lane(t, i, random))
		}
		f := c.fleet(random)
		for _, l := range lanes {
			l.store = sync.OnceValue(func() *redistest.Store { return newStore(t, f, seed) })
		}
		f.run(t, c.scenario.end, func(ctx context.Context, replica int, _ stint) {
			var all sync.WaitGroup
			for _, l := range lanes {
				all.Go(func() { c.live(ctx, t, f, l, replica, seed) })
			}
			all.Wait()
		})
		var all []figures
		for _, l := range lanes {
			all = append(all, c.scenario.judge(l.outcome(len(f.stints))))
		}
		worst = reduce(all, slices.Min, slices.Max)
	})
	return worst
}

// lane is one vault of a run.
type lane struct {
	vault   *Vault
	planned float64
	quota   Quota
	phase   time.Duration
	store   func() *redistest.Store // opens the fleet's store for this vault
}

// lane opens the i-th vault; each has half of the quota of the one before.
func (c cell) lane(t *testing.T, i int, random *rand.Rand) *lane {
	l := &lane{planned: Units / float64(int(1)<<i), phase: within(random, Window)}
	factor := c.scenario.factor
	l.quota = func(at time.Duration) float64 {
		if factor == nil {
			return l.planned
		}
		return l.planned * factor(at)
	}
	rules := c.rules
	rules.Quota, rules.Phase, rules.Seed = l.quota, l.phase, random.Uint64()
	vault, err := NewVault(fmt.Sprintf("https://bench%d.vault.azure.net", i), rules)
	if err != nil {
		t.Fatal(err)
	}
	l.vault = vault
	return l
}

func (l *lane) outcome(replicas int) outcome {
	o := outcome{arrived: l.vault.Arrived(), quota: l.quota, phase: l.phase}
	for i := range replicas {
		o.replicas = append(o.replicas, i)
	}
	return o
}

func (c cell) fleet(random *rand.Rand) *fleet {
	stints := c.scenario.stints
	if stints == nil {
		stints = together
	}
	return &fleet{start: time.Now(), replicas: c.replicas, stints: stints(c.replicas, random), outage: c.scenario.outage}
}

// live is one replica's life at one vault.
func (c cell) live(ctx context.Context, t *testing.T, f *fleet, l *lane, replica int, seed uint64) {
	s := seat{
		t: t, link: NewLink(l.vault, replica, seed), replica: replica, planned: l.planned,
		keys: c.keys, fleet: f, store: l.store, random: newChance(seed, uint64(1000+replica)), seed: seed,
	}
	w := work{keys: c.keys, random: s.random}
	if c.scenario.demand != nil {
		w.demand = c.scenario.demand(replica) * l.planned / Window.Seconds() / float64(c.replicas)
	}
	w.jobs(ctx, t, c.contestant.workers, c.contestant.open(ctx, s))
}
