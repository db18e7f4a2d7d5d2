package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/signmill/signmill/schema"
)

// countingCredential counts the tokens that are asked for.
type countingCredential struct {
	azcore.TokenCredential
	asked *atomic.Int64
}

func (c countingCredential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.asked.Add(1)
	return c.TokenCredential.GetToken(ctx, o)
}

// distant is a vault that is 20 ms away.
type distant struct{ http.RoundTripper }

func (d distant) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(20 * time.Millisecond):
		return d.RoundTripper.RoundTrip(r)
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// TestFirstCalls warms a worker with 64 keys, and lets 64 calls go at once: one
// token serves them all, and one probe without a token is sent.
func TestFirstCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, firstCalls)
}

func firstCalls(t *testing.T) {
	const calls = 64
	spec := stackSpec{Queues: []localQueue{{Name: "jobs"}, {Name: "replies"}}, Log: slog.New(slog.DiscardHandler)}
	o := workerOptions{jobs: "jobs", replies: "replies"}
	o.config.Concurrency = calls
	for i := range calls {
		spec.Keys = append(spec.Keys, localKey{fmt.Sprintf("key-%d", i), schema.ES256})
		o.allowKey = append(o.allowKey, fmt.Sprintf("key-%d", i))
	}
	st, err := newStack(spec)
	if err != nil {
		t.Fatal(err)
	}
	defer st.close()
	b := st.backend(localVaultURL)
	var asked atomic.Int64
	b.Vault.Transport = distant{b.Vault.Transport}
	b.Vault.Credential = countingCredential{b.Vault.Credential, &asked}
	p, err := o.open(b, spec.Log)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if err := p.warm(t.Context(), spec.Log); err != nil {
		t.Fatal(err)
	}
	var crew sync.WaitGroup
	f := p.rules.now.Load()
	for _, k := range f.Keys {
		crew.Go(func() {
			key, err := p.vault.Resolve(t.Context(), f.Ref(k))
			if err == nil {
				_, err = p.vault.Sign(t.Context(), key, schema.ES256, make([]byte, 32))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	crew.Wait()
	stats := st.vault.Stats()
	if got := stats.Operations["sign"]; got != calls {
		t.Errorf("signatures: got %d, want %d", got, calls)
	}
	if asked.Load() != 1 || stats.Challenged != 1 {
		t.Errorf("got %d token requests and %d probes, want 1 of each", asked.Load(), stats.Challenged)
	}
}

// TestVaultConnections holds the connections that are kept to --concurrency.
func TestVaultConnections(t *testing.T) {
	t.Parallel()
	var o workerOptions
	o.config.Concurrency = 200
	if got := o.vaultConfig(backend{}).Concurrency; got != 200 {
		t.Errorf("got %d, want 200", got)
	}
}
