package keyvault

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/localvault"
)

// ledger is a meter that remembers, by name and attributes.
type ledger struct {
	noop.Meter
	mu     sync.Mutex // guards counts
	counts map[string]int64
}

type ledgerCounter struct {
	noop.Int64Counter
	name   string
	ledger *ledger
}

func (l *ledger) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return ledgerCounter{name: name, ledger: l}, nil
}

func (c ledgerCounter) Add(_ context.Context, n int64, options ...metric.AddOption) {
	set := metric.NewAddConfig(options).Attributes()
	entry := c.name
	for _, name := range []string{AttributeOperation, AttributeOutcome} {
		if v, ok := set.Value(attribute.Key(name)); ok {
			entry += " " + v.AsString()
		}
	}
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	c.ledger.counts[entry] += n
}

func (l *ledger) check(t *testing.T, want map[string]int64) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for entry, n := range want {
		if l.counts[entry] != n {
			t.Errorf("%s is %d, want %d", entry, l.counts[entry], n)
		}
	}
	if len(l.counts) != len(want) {
		t.Errorf("counted %v, want %v", l.counts, want)
	}
}

// TestPublicKeyWorkCostsNothing: once the key is known, 10,000 verifies,
// encrypts and wraps make no call, and are counted as saved.
func TestPublicKeyWorkCostsNothing(t *testing.T) {
	t.Parallel()
	const times = 1000
	server := openVault(t, localvault.Config{Keys: keySpecs()[:1]})
	meter := &ledger{counts: map[string]int64{}}
	c := clientOf(t, server.RoundTripper(), func(config *Config) { config.Meter = meter })
	key := resolve(t, c, refFor(schema.RS256))
	sig, err := c.Sign(t.Context(), key, schema.RS256, someDigest())
	if err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprintf("%+v", server.Stats())
	for range times {
		if valid, err := c.Verify(t.Context(), key, schema.RS256, someDigest(), sig); !valid || err != nil {
			t.Fatal(valid, err)
		}
		if _, err := c.Encrypt(t.Context(), key, schema.RSAOAEP256, signer.Plain{Text: []byte(plaintext)}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Wrap(t.Context(), key, schema.RSAOAEP, []byte(plaintext)); err != nil {
			t.Fatal(err)
		}
	}
	if valid, err := c.Verify(t.Context(), key, schema.RS256, digestOf(schema.RS256, "other"), sig); valid || err != nil {
		t.Errorf("Verify = %t, %v", valid, err)
	}
	resolve(t, c, refFor(schema.RS256))
	if after := fmt.Sprintf("%+v", server.Stats()); after != before {
		t.Errorf("the vault counts %s after %s", after, before)
	}
	meter.check(t, map[string]int64{
		"signmill.vault.calls getPublicKey ok": 1, "signmill.vault.calls sign ok": 1,
		"signmill.vault.calls.saved verify": times + 1, "signmill.vault.calls.saved encrypt": times,
		"signmill.vault.calls.saved wrapKey": times, "signmill.vault.calls.saved getPublicKey": 1,
	})
}

// TestCallsAreCountedByOutcome, each attempt once, and an HMAC twice.
func TestCallsAreCountedByOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := openVault(t, localvault.Config{Keys: hsmSpecs()})
		meter := &ledger{counts: map[string]int64{}}
		c := clientOf(t, server.RoundTripper(), func(config *Config) { config.Meter = meter })
		key := resolve(t, c, signer.Ref{Vault: vaultURL, Name: "oct128"})
		server.SetFaults(localvault.Faults{Throttle: 2, Fail: 1})
		if _, err := c.Sign(t.Context(), key, schema.HS256, someDigest()); err != nil {
			t.Error(err)
		}
		_, err := c.Decrypt(t.Context(), key, schema.A128GCM, signer.Sealed{Ciphertext: make([]byte, 5), IV: make([]byte, 12), Tag: make([]byte, 16)})
		wantCode(t, "Decrypt", err, schema.CodeVaultRejected)
		server.SetFaults(localvault.Faults{WrongVersion: 1})
		_, err = c.Wrap(t.Context(), key, schema.A128KW, []byte(plaintext))
		wantCode(t, "Wrap", err, schema.CodeIntegrity)
		server.SetFaults(localvault.Faults{Delay: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = c.Unwrap(ctx, key, schema.A128KW, make([]byte, 24))
		wantCode(t, "Unwrap", err, schema.CodeUnavailable)
		meter.check(t, map[string]int64{
			"signmill.vault.calls getPublicKey ok": 1, "signmill.vault.calls sign throttled": 2, "signmill.vault.calls sign unavailable": 1,
			"signmill.vault.calls sign ok": 1, "signmill.vault.calls verify ok": 1, "signmill.vault.calls decrypt vault_rejected": 1,
			"signmill.vault.calls wrapKey integrity": 1, "signmill.vault.calls unwrapKey unavailable": 1,
		})
	})
}

// TestFirstCallsShareOneToken: 64 callers that begin together with all kinds
// of operations cost one challenge, one token and one question for the key.
func TestFirstCallsShareOneToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := openVault(t, localvault.Config{Keys: keySpecs()[:1], Latency: func(int) time.Duration { return latency }})
		tokens := &issuer{}
		c := clientOf(t, server.RoundTripper(), func(config *Config) { config.Credential = tokens })
		var callers sync.WaitGroup
		for i := range 64 {
			callers.Go(func() {
				key, err := c.Resolve(t.Context(), refFor(schema.RS256))
				if err != nil {
					t.Error(err)
					return
				}
				switch i % 4 {
				case 0:
					_, err = c.Sign(t.Context(), key, schema.PS256, someDigest())
				case 1:
					_, err = c.Verify(t.Context(), key, schema.PS256, someDigest(), make([]byte, 256))
				case 2:
					_, err = c.Encrypt(t.Context(), key, schema.RSA15, signer.Plain{Text: []byte(plaintext)})
				default:
					var wrapped []byte
					if wrapped, err = c.Wrap(t.Context(), key, schema.RSAOAEP, []byte(plaintext)); err == nil {
						_, err = c.Unwrap(t.Context(), key, schema.RSAOAEP, wrapped)
					}
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		stats := server.Stats()
		if tokens.issued.Load() != 1 || stats.Challenged != 1 || stats.Operations["get"] != 1 || stats.Operations["sign"] != 16 || stats.Operations["unwrapKey"] != 16 || stats.Operations["encrypt"]+stats.Operations["verify"] != 0 {
			t.Errorf("%d tokens; the vault counts %+v", tokens.issued.Load(), stats)
		}
	})
}

// TestARefusalRefreshesTheKey: once the vault has refused an operation, the
// next Resolve asks again, and local work is refused from then on as well.
func TestARefusalRefreshesTheKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := openVault(t, localvault.Config{Keys: keySpecs()[:1]})
		hands := sdk(t, vaultURL, token{}, server.RoundTripper())
		c := clientOf(t, server.RoundTripper(), nil)
		key := resolve(t, c, refFor(schema.RS256))
		sealed, err := c.Encrypt(t.Context(), key, schema.RSAOAEP, signer.Plain{Text: []byte(plaintext)})
		if err != nil {
			t.Fatal(err)
		}
		ops := []*azkeys.KeyOperation{point(azkeys.KeyOperationSign)}
		if _, err := hands.UpdateKey(t.Context(), "rsa", "", azkeys.UpdateKeyParameters{KeyOps: ops}, nil); err != nil {
			t.Fatal(err)
		}
		if err := pause(t.Context(), time.Minute); err != nil { // the key is known, and would be for minutes
			t.Fatal(err)
		}
		_, err = c.Encrypt(t.Context(), resolve(t, c, refFor(schema.RS256)), schema.RSAOAEP, signer.Plain{Text: []byte(plaintext)})
		if err != nil {
			t.Errorf("before the refusal: %v", err)
		}
		_, err = c.Decrypt(t.Context(), key, schema.RSAOAEP, sealed)
		wantCode(t, "Decrypt", err, schema.CodeKeyUnusable)
		fresh := resolve(t, c, refFor(schema.RS256))
		_, err = c.Encrypt(t.Context(), fresh, schema.RSAOAEP, signer.Plain{Text: []byte(plaintext)})
		wantCode(t, "Encrypt", err, schema.CodeKeyUnusable)
		if got := signer.AsError(err).Message; len(fresh.Operations) != 1 || !strings.HasSuffix(got, "--ops sign encrypt") {
			t.Errorf("key_ops are %v; the message reads %s", fresh.Operations, got)
		}
	})
}
