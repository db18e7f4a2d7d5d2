package quota_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/signer/quota/redisshare"
	"github.com/signmill/signmill/signer/quota/redisshare/redistest"
)

// slotted starts a gate that shares the quota of 400 units a second by a store.
func slotted(t *testing.T, store *redistest.Store, name string) *quota.Gate {
	t.Helper()
	share, err := redisshare.New(redisshare.Config{URL: "redis://store", Vault: "pace", Guard: 1, Dial: store.Dialer(name)})
	if err != nil {
		t.Fatal(err)
	}
	g, err := quota.New(quota.Config{Share: share, Guard: 1, Random: rand.NewPCG(1, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.Close()
		_ = share.Close()
	})
	return g
}

// busy has a gate send calls of 4 units as fast as it may, until stop. Each is
// answered when call returns.
func busy(t *testing.T, g *quota.Gate, call func()) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	for range 32 {
		callers.Go(func() {
			for pass, err := g.Enter(ctx, 4); err == nil; pass, err = g.Enter(ctx, 4) {
				call()
				pass.Leave(quota.Result{Outcome: quota.Accepted})
			}
		})
	}
	return func() {
		cancel()
		callers.Wait()
	}
}

// rest lets virtual time pass.
func rest(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

// TestPaceWithSlots: a replica knows what it gets, so that none takes in what
// another could do sooner. One that did nothing yet counts on little.
func TestPaceWithSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := redistest.New(t, func() time.Duration { return 3 * time.Millisecond })
		var gates []*quota.Gate
		for i := range 3 {
			gates = append(gates, slotted(t, store, fmt.Sprint(i)))
		}
		near := func(when string, i int, want float64) {
			t.Helper()
			if got := gates[i].Pace(); got < 0.9*want || got > 1.1*want {
				t.Errorf("%s replica %d counts on %.1f calls a second, want %.1f", when, i, got, want)
			}
		}
		rest(time.Second)
		near("before the first call", 0, 400./20)
		var stops []func()
		for _, g := range gates {
			stops = append(stops, busy(t, g, func() {}))
		}
		rest(20 * time.Second)
		for i := range gates {
			near("with three at work", i, 100./3)
		}
		stops[0]()
		stops[1]()
		rest(20 * time.Second)
		near("alone at work", 2, 100)
		near("after its work", 0, 100./20)
		stops[2]()
	})
}
