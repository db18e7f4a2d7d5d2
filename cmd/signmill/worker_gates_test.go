package main

import (
	"context"
	"log/slog"
	"math"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/worker/policy"
)

const (
	vaultA = "https://a.vault.azure.net"
	vaultB = "https://b.vault.azure.net"
)

// vaults is a policy with nothing but vaults, by name.
func vaults(v map[string]policy.Vault) *policy.File { return &policy.File{Vaults: v} }

// TestGatesFollowThePolicy changes quotas and prices in place, opens the gate of
// a new vault, and lets go of one that is gone when no job can use it any more.
func TestGatesFollowThePolicy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, err := newGates(vaults(map[string]policy.Vault{"a": {URL: vaultA, Quota: 100}}), gateSpec{inFlight: 8, linger: time.Minute}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer g.close()
		a := g.gate("https://A.vault.azure.net:443/", quota.Class{})
		if a == nil || a.State().Quota != 100 || g.gate(vaultB, quota.Class{}) != nil {
			t.Fatalf("got the gate %v for a, and %v for b", a, g.gate(vaultB, quota.Class{}))
		}
		ec := quota.Class{Type: quota.EC, Curve: "P-256"}
		apply := func(v map[string]policy.Vault, want []string) {
			t.Helper()
			if waits, err := g.apply(vaults(v)); err != nil || !reflect.DeepEqual(waits, want) {
				t.Errorf("got %v, %v, want %v", waits, err, want)
			}
		}
		apply(map[string]policy.Vault{"x": {URL: vaultA, Quota: 200, Costs: quota.Costs{ec: 7}}, "b": {URL: vaultB}}, nil)
		if g.gate(vaultA, ec) != a || a.State().Quota != 200 || g.costs(vaultA).Of(ec) != 7 || g.costs(vaultB).Of(ec) != 1 {
			t.Errorf("a: got another gate, or %+v with the price %d", a.State(), g.costs(vaultA).Of(ec))
		}
		if !math.IsInf(g.Pace(), 1) {
			t.Errorf("pace beside a vault that is not paced: got %v", g.Pace())
		}
		apply(map[string]policy.Vault{"b": {URL: vaultB, Quota: 50}}, nil)
		if g.gate(vaultA, ec) != a || a.State().Phase == quota.Closed || g.gate(vaultB, ec) == nil {
			t.Error("a job that is held has lost its gate, or the new quota has none")
		}
		<-time.After(30 * time.Second)
		apply(map[string]policy.Vault{"a": {URL: vaultA, Quota: 300}, "b": {URL: vaultB, Quota: 50, Share: "static:2"}}, []string{"vaults.b.share"})
		<-time.After(2 * time.Minute)
		if g.gate(vaultA, ec) != a || a.State().Phase == quota.Closed || a.State().Quota != 300 {
			t.Errorf("a vault that came back: got %+v", a.State())
		}
		apply(map[string]policy.Vault{"b": {URL: vaultB, Quota: 50, Share: "static:2"}}, []string{"vaults.b.share"})
		<-time.After(2 * time.Minute)
		if g.gate(vaultA, ec) != nil || a.State().Phase != quota.Closed {
			t.Errorf("a vault that is gone: got %v, %+v", g.gate(vaultA, ec), a.State())
		}
		if _, err := g.apply(vaults(map[string]policy.Vault{"c": {URL: "https://c.vault.azure.net", Quota: 1, Share: "dns:"}})); err == nil || g.gate(vaultB, ec) == nil {
			t.Errorf("a share that is wrong: got %v", err)
		}
	})
}

// TestSubscriptionFollows changes the budget above all vaults.
func TestSubscriptionFollows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := vaults(map[string]policy.Vault{"a": {URL: vaultA, Quota: 1000}})
		f.Subscription = 10
		g, err := newGates(f, gateSpec{inFlight: 8, linger: time.Minute}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer g.close()
		if took := enterMany(t, g.gate(vaultA, quota.Class{}), 20); took < 10*time.Second {
			t.Errorf("20 units took %s, and the subscription allows 10 in 10 s", took)
		}
		next := *f
		next.Subscription = 1000
		if waits, err := g.apply(&next); err != nil || waits != nil {
			t.Errorf("got %v, %v", waits, err)
		}
		if took := enterMany(t, g.gate(vaultA, quota.Class{}), 20); took > 5*time.Second {
			t.Errorf("20 units took %s, and the subscription allows 1000 in 10 s", took)
		}
		next.Subscription = 0
		if waits, err := g.apply(&next); err != nil || !reflect.DeepEqual(waits, []string{"subscription"}) {
			t.Errorf("got %v, %v", waits, err)
		}
	})
}

// enterMany makes calls and returns how long they waited in all.
func enterMany(t *testing.T, gate *quota.Gate, calls int) time.Duration {
	t.Helper()
	began := time.Now()
	for range calls {
		pass, err := gate.Enter(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		pass.Leave(quota.Result{Outcome: quota.Accepted})
	}
	return time.Since(began)
}

// TestWhenStill waits until changes are over, and not for ever.
func TestWhenStill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		changes, done := make(chan struct{}, 1), make(chan struct{})
		began := time.Now()
		var at []time.Duration
		go func() {
			defer close(done)
			whenStill(ctx, changes, func() { at = append(at, time.Since(began)) })
		}()
		change := func(times int, every time.Duration) {
			for range times {
				changes <- struct{}{}
				<-time.After(every)
			}
		}
		change(3, 100*time.Millisecond)
		<-time.After(time.Second)
		change(60, 100*time.Millisecond)
		<-time.After(time.Minute)
		end()
		<-done
		want := []time.Duration{400 * time.Millisecond, 6300 * time.Millisecond, 7400 * time.Millisecond}
		if !reflect.DeepEqual(at, want) {
			t.Errorf("got %v, want %v", at, want)
		}
	})
}
