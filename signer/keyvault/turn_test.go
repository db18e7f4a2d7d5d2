package keyvault

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/localvault"
	"github.com/signmill/signmill/signer/quota"
)

// paced is a client whose calls go through one gate, and its vault.
func paced(t *testing.T, c quota.Config, q localvault.Quota) (*Client, *localvault.Server, *quota.Gate) {
	t.Helper()
	gate, err := quota.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(gate.Close)
	server, err := localvault.New(localvault.Config{Keys: []localvault.KeySpec{{Name: "ec", Type: "EC"}}, Quota: q})
	if err != nil {
		t.Fatal(err)
	}
	client, err := New(Config{
		Credential: &fake.TokenCredential{},
		Transport:  server.RoundTripper(),
		Gate:       func(string, quota.Class) *quota.Gate { return gate },
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, server, gate
}

// signMany signs n times at once with one key, and returns how long it took.
func signMany(t *testing.T, client *Client, n int) time.Duration {
	t.Helper()
	key, err := client.Resolve(t.Context(), signer.Ref{Vault: "https://a.vault.azure.net", Name: "ec"})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var callers sync.WaitGroup
	for range n {
		callers.Go(func() {
			if _, err := client.Sign(t.Context(), key, schema.ES256, make([]byte, 32)); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	return time.Since(began)
}

// TestGatePacesCalls signs three windows of a vault's quota: the vault never
// has to refuse, and no time is lost.
func TestGatePacesCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const units = 200
		client, server, gate := paced(t, quota.Config{Quota: units}, localvault.Quota{Units: units})
		took := signMany(t, client, 3*units)
		if n := server.Stats().Throttled; n != 0 || gate.State().Throttled != 0 {
			t.Errorf("the vault refused %d calls, and the gate knows of %d; want none", n, gate.State().Throttled)
		}
		if least, most := 29*time.Second, 32*time.Second; took < least || took > most {
			t.Errorf("three windows of quota took %s, want between %s and %s", took, least, most)
		}
	})
}

// TestThrottledCallPaysAgain lets the vault refuse calls within the budget.
func TestThrottledCallPaysAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server, gate := paced(t, quota.Config{}, localvault.Quota{})
		signMany(t, client, 1)
		server.SetFaults(localvault.Faults{Throttle: 3})
		before := gate.State()
		signMany(t, client, 1)
		if s := gate.State(); s.Throttled-before.Throttled != 3 || s.Used-before.Used != 4 {
			t.Errorf("3 refusals cost %d units and count as %d", s.Used-before.Used, s.Throttled-before.Throttled)
		}
	})
}

// TestTooLateIsToldAtOnce has a call whose turn comes after its deadline.
func TestTooLateIsToldAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, _, _ := paced(t, quota.Config{Quota: 100}, localvault.Quota{})
		signMany(t, client, 1)
		key, err := client.Resolve(t.Context(), signer.Ref{Vault: "https://a.vault.azure.net", Name: "ec"})
		if err != nil {
			t.Fatal(err)
		}
		var callers sync.WaitGroup
		for range 500 { // a queue of 50 s
			callers.Go(func() { client.Sign(t.Context(), key, schema.ES256, make([]byte, 32)) })
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		_, err = client.Sign(ctx, key, schema.ES256, make([]byte, 32))
		e := signer.AsError(err)
		if e.Code != schema.CodeThrottled || !errors.Is(err, quota.ErrTooLate) || e.RetryAfter < 10*time.Second || time.Since(began) != 0 {
			t.Errorf("after %s: %v (retry after %s), want ErrTooLate at once", time.Since(began), err, e.RetryAfter)
		}
		callers.Wait()
	})
}

// TestBreakerSparesADeadVault lets a vault fail while many call it: after a few
// failures one call at a time finds out whether it is back.
func TestBreakerSparesADeadVault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server, gate := paced(t, quota.Config{}, localvault.Quota{})
		signMany(t, client, 1)
		const outage = 20
		server.SetFaults(localvault.Faults{Fail: outage})
		signMany(t, client, 100)
		if n := gate.State().Failed; n != outage {
			t.Errorf("%d calls failed, want the %d of the outage", n, outage)
		}
	})
}

// TestCostsOfAVault signs with the same key through two vaults, and each has a
// price list of its own.
func TestCostsOfAVault(t *testing.T) {
	t.Parallel()
	client, _, gate := paced(t, quota.Config{Quota: 1_000_000}, localvault.Quota{})
	client.config.Costs = func(vault string) quota.Costs {
		if vault == "https://dear.vault.azure.net" {
			return quota.Costs{{Type: quota.EC, Curve: "P-256"}: 700}
		}
		return nil
	}
	for vault, want := range map[string]int64{"https://dear.vault.azure.net": 700, "https://plain.vault.azure.net": 1} {
		key, err := client.Resolve(t.Context(), signer.Ref{Vault: vault, Name: "ec"})
		if err != nil {
			t.Fatal(err)
		}
		before := gate.State().Used
		if _, err := client.Sign(t.Context(), key, schema.ES256, make([]byte, 32)); err != nil {
			t.Fatal(err)
		}
		if got := gate.State().Used - before; got != want {
			t.Errorf("%s: a signature cost %d units, want %d", vault, got, want)
		}
	}
}

// TestKnownKeyCostsItsPrice asks twice for a key: the price is not known the first
// time, and the dearest is paid.
func TestKnownKeyCostsItsPrice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, _, gate := paced(t, quota.Config{}, localvault.Quota{})
		for _, want := range []int64{16, 1} {
			before := gate.State().Used
			if _, err := client.Resolve(t.Context(), signer.Ref{Vault: "https://a.vault.azure.net", Name: "ec"}); err != nil {
				t.Fatal(err)
			}
			if got := gate.State().Used - before; got != want {
				t.Errorf("the key cost %d units, want %d", got, want)
			}
			<-time.After(time.Hour)
		}
		gate.Close()
	})
}
