package main

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/signer/quota/redisshare/redistest"
	"github.com/signmill/signmill/worker/policy"
)

// TestExamineStore has a store do what it does for a worker, and refuse it.
func TestExamineStore(t *testing.T) {
	store := redistest.New(t, nil)
	if err := store.Start(); err != nil {
		t.Fatal(err)
	}
	b := budgetFlags{units: 2000, share: "redis://" + store.Addr()}
	if got := b.examine(t.Context()); got.result != resultOK || !strings.HasPrefix(got.detail, "2,000 units in 10 s, granted by the store") {
		t.Errorf("got %+v", got)
	}
	store.RequireAuth("secret")
	if got := b.examine(t.Context()); got.result != resultProblem || !strings.Contains(got.cure, redisPassword) {
		t.Errorf("without the password: got %+v", got)
	}
}

// TestStoreCure knows what stores and networks said, word by word.
func TestStoreCure(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"NOAUTH Authentication required.": redisPassword,
		"failed to authenticate: WRONGPASS invalid username-password pair or user is disabled.":              "rediss://USER@HOST:PORT",
		"NOPERM this user has no permissions to access one of the keys used as arguments":                    "ACL SETUSER",
		"ERR The user executing the script can't publish to the channel mentioned in the command script: 6e": "ACL SETUSER",
		"READONLY You can't write against a read only replica. script: 6e":                                   "primary",
		"CLUSTERDOWN Hash slot not served":                                                                   "slots",
		"ERR This instance has cluster support disabled":                                                     "+cluster",
		"OOM command not allowed when used memory > 'maxmemory'. script: 6e":                                 "maxmemory",
		"ERR unknown command 'evalsha', with args beginning with: '6e'":                                      "EVALSHA",
		"redis: all sentinels specified in configuration are unreachable: ERR unknown command 'sentinel'":    "?master=",
		"ERR DB index is out of range":                                                                       "number of the database",
		"NOREPLICAS Not enough good replicas to write. script: 6e":                                           "replicas",
		`redis: can't parse map reply: "HTTP/1.1 400 Bad Request"`:                                           "something else",
		"remote error: tls: certificate required":                                                            "tls-auth-clients no",
		"tls: failed to verify certificate: x509: certificate signed by unknown authority":                   "SSL_CERT_FILE",
		"dial tcp: lookup store on 10.0.0.53:53: no such host":                                               "name",
		"dial tcp 127.0.0.1:1: connect: connection refused":                                                  "is up",
		"read: connection reset by peer":                                                                     "rediss://",
		"context deadline exceeded":                                                                          "half a second",
	}
	for said, want := range tests {
		if got := storeCure(errors.New(said)); !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want it to name %q", said, got, want)
		}
	}
}

// TestUnshared says what keeps a share away, of the vault that waits for it.
func TestUnshared(t *testing.T) {
	t.Parallel()
	f := vaults(map[string]policy.Vault{
		"a": {URL: vaultA, Quota: 100, Share: "redis://127.0.0.1:1"},
		"b": {URL: vaultB, Quota: 100},
	})
	g, err := newGates(f, gateSpec{inFlight: 8, linger: time.Minute}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	err = g.unshared(t.Context(), vaultA)
	if err == nil || !strings.Contains(err.Error(), "connection refused; see that the store is up") || !strings.HasPrefix(err.Error(), vaultA+": ") {
		t.Errorf("got %v", err)
	}
	if err := g.unshared(t.Context(), vaultB); err != nil {
		t.Errorf("a vault without a store: got %v", err)
	}
}
