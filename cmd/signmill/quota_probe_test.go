package main

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/probe"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/localvault"
)

// TestProbe measures the local vault through the client that commands use.
func TestProbe(t *testing.T) {
	t.Parallel()
	const fixed, sliding = "a fixed window", "a sliding window"
	tests := []struct {
		name  string
		quota localvault.Quota
		get   bool
		want  probe.Verdict // its Quota is the advice
		hints bool
	}{
		{"fixed window", localvault.Quota{Units: 400}, false, probe.Verdict{Window: fixed, Charged: probe.Unknown, Quota: 400}, false},
		{"fixed window, reads", localvault.Quota{Units: 400}, true, probe.Verdict{Window: fixed, Charged: probe.Unknown, Quota: 400}, false},
		{"fixed window, charged and with hints", localvault.Quota{Units: 400, ChargeRejected: true, RetryAfter: 3 * time.Second}, false,
			probe.Verdict{Window: fixed, Charged: probe.Unknown, Quota: 400}, true},
		{"sliding window", localvault.Quota{Units: 400, Shape: localvault.SlidingWindow}, false, probe.Verdict{Window: sliding, Charged: probe.No, Quota: 400}, false},
		// A fixed window of 303 units would have given the same answers, and is the safer advice.
		{"sliding window, charged", localvault.Quota{Units: 400, Shape: localvault.SlidingWindow, ChargeRejected: true}, false,
			probe.Verdict{Window: sliding, Charged: probe.Yes, Quota: 303}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				trace, err := probeLocal(t, tt.quota, tt.get)
				if err != nil {
					t.Fatal(err)
				}
				got := trace.Judge()
				if got.Window != tt.want.Window || got.Charged != tt.want.Charged || got.Several || got.Advice(400) != tt.want.Quota {
					t.Errorf("got %+v, want %+v", got, tt.want)
				}
				n, least, _ := trace.Hints()
				if (n > 0) != tt.hints || tt.hints && least != 3*time.Second {
					t.Errorf("got %d hints from %s on", n, least)
				}
			})
		})
	}
}

// probeLocal probes a local vault that has been up for 3 s.
func probeLocal(t *testing.T, quota localvault.Quota, get bool) (probe.Trace, error) {
	t.Helper()
	vault, err := localvault.New(localvault.Config{
		Keys:    []localvault.KeySpec{{Name: "seal", Type: "EC"}},
		Quota:   quota,
		Latency: func(int) time.Duration { return 50 * time.Millisecond },
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := keyvault.New(keyvault.Config{Credential: anyToken{}, Transport: vault.RoundTripper(), Local: true, Retry: keyvault.Retry{Attempts: 1}})
	if err != nil {
		t.Fatal(err)
	}
	<-time.After(3 * time.Second)
	c := quotaProbe{keysOptions: keysOptions{streams: streams{err: io.Discard}, vault: localVaultURL}, quota: 400, watch: 30 * time.Second, get: get}
	handle, err := client.Vault(c.vault)
	if err != nil {
		t.Fatal(err)
	}
	info, err := handle.Get(t.Context(), "seal", "")
	if err != nil {
		t.Fatal(err)
	}
	c.patience.concurrency = 5 // 100 calls a second
	p := c.prober(info)
	if p.Call, err = c.call(t.Context(), client, info); err != nil {
		t.Fatal(err)
	}
	return p.Run(t.Context())
}
