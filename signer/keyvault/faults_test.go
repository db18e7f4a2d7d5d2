package keyvault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/localvault"
)

// keySpecs has one key for each kind that an algorithm needs.
func keySpecs() []localvault.KeySpec {
	specs := []localvault.KeySpec{{Name: "rsa", Type: "RSA"}}
	for _, curve := range []string{"P-256", "P-384", "P-521", "P-256K"} {
		specs = append(specs, localvault.KeySpec{Name: curve, Type: "EC", Curve: curve})
	}
	return specs
}

func refFor(algorithm schema.Algorithm) signer.Ref {
	ref := signer.Ref{Vault: vaultURL, Name: "rsa"}
	if algorithm.Family() == schema.ECDSA {
		ref.Name = algorithm.Curve()
	}
	return ref
}

func digestOf(algorithm schema.Algorithm, text string) []byte {
	hash := algorithm.Hash().New()
	hash.Write([]byte(text))
	return hash.Sum(nil)
}

func resolve(t testing.TB, c *Client, ref signer.Ref) signer.Key {
	t.Helper()
	key, err := c.Resolve(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestTamperedAnswersAreThrownAway: whatever a vault can get wrong in a
// signature is caught, in every algorithm, with one call and one alarm.
func TestTamperedAnswersAreThrownAway(t *testing.T) {
	t.Parallel()
	server := openVault(t, localvault.Config{Keys: keySpecs()})
	tests := []struct {
		name   string
		ecOnly bool
		faults localvault.Faults
	}{
		{name: "one bit", faults: localvault.Faults{WrongSignature: 1}},
		{name: "another version's name", faults: localvault.Faults{WrongVersion: 1}},
		{name: "lost zeros", ecOnly: true, faults: localvault.Faults{Unpadded: 1}},
		{name: "r twice", ecOnly: true, faults: localvault.Faults{RepeatedR: 1}},
	}
	for _, algorithm := range schema.PublicKeySignatures() {
		for _, test := range tests {
			if test.ecOnly && algorithm.Family() != schema.ECDSA {
				continue
			}
			var alarms bytes.Buffer
			c := clientOf(t, server.RoundTripper(), func(config *Config) { config.Log = slog.New(slog.NewTextHandler(&alarms, nil)) })
			key := resolve(t, c, refFor(algorithm))
			signed := server.Stats().Operations["sign"]
			calls, err := provoke(t, server, test.faults, func(text string) ([]byte, error) {
				return c.Sign(t.Context(), key, algorithm, digestOf(algorithm, text))
			})
			what := fmt.Sprintf("%s, %s", algorithm, test.name)
			wantCode(t, what, err, schema.CodeIntegrity)
			if got := server.Stats().Operations["sign"] - signed; got != calls {
				t.Errorf("%s: %d signatures for %d calls", what, got, calls)
			}
			if text := alarms.String(); strings.Count(text, "level=ERROR") != 1 || !strings.Contains(text, key.KID) || !strings.Contains(text, "request_id=") || strings.Contains(text, secret) {
				t.Errorf("%s: the log reads %q, want one alarm", what, text)
			}
		}
	}
}

// provoke signs until the fault shows, and returns the number of calls. Lost
// zeros are rare in algorithms whose signature follows from the digest alone.
func provoke(t *testing.T, server *localvault.Server, faults localvault.Faults, sign func(text string) ([]byte, error)) (calls int, err error) {
	t.Helper()
	for err == nil && calls < 5000 {
		server.SetFaults(faults)
		var sig []byte
		sig, err = sign(fmt.Sprint(calls))
		calls++
		if (sig == nil) == (err == nil) {
			t.Fatalf("Sign = %x, %v", sig, err)
		}
		if faults.Unpadded == 0 && err == nil {
			t.Fatal("the fault went unseen")
		}
	}
	server.SetFaults(localvault.Faults{})
	return calls, err
}

// TestPassingFaultsAreOutlived: what a vault gets wrong for a moment costs
// time, never a signature, in every algorithm.
func TestPassingFaultsAreOutlived(t *testing.T) {
	t.Parallel()
	server := openVault(t, localvault.Config{Keys: keySpecs()})
	tests := map[string]localvault.Faults{
		"429":            {Throttle: 3},
		"429 with hint":  {Throttle: 2, RetryAfter: 3 * time.Second},
		"503":            {Fail: 3},
		"500":            {Fail: 2, FailStatus: 500},
		"408":            {Fail: 2, FailStatus: 408},
		"request lost":   {DropRequest: 3},
		"answer lost":    {DropAnswer: 3},
		"slow":           {Delay: 20 * time.Second},
		"token ran out":  {Expire: 1},
		"all of a piece": {DropRequest: 1, DropAnswer: 1, Expire: 1, Throttle: 1, Fail: 1},
	}
	for name, faults := range tests {
		for _, algorithm := range schema.PublicKeySignatures() {
			synctest.Test(t, func(t *testing.T) {
				c := clientOf(t, server.RoundTripper(), nil)
				key := resolve(t, c, refFor(algorithm))
				server.SetFaults(faults)
				digest := digestOf(algorithm, name)
				sig, err := c.Sign(t.Context(), key, algorithm, digest)
				if err == nil {
					err = signer.Verify(key.Public, algorithm, digest, sig)
				}
				left := server.Faults()
				left.Delay, left.RetryAfter, left.FailStatus = 0, 0, 0
				if err != nil || left != (localvault.Faults{}) {
					t.Errorf("%s, %s: %v; faults left %+v", algorithm, name, err, left)
				}
				server.SetFaults(localvault.Faults{})
			})
		}
	}
}

// TestLastingFaultsAreTold: each failure has its code, keeps quiet about
// token and digest, and ends with the deadline.
func TestLastingFaultsAreTold(t *testing.T) {
	t.Parallel()
	server := openVault(t, localvault.Config{Keys: keySpecs()[1:2]})
	const ever = 1 << 30
	tests := map[string]struct {
		faults localvault.Faults
		want   schema.Code
		ended  bool // the deadline ends it, not the answer
	}{
		"throttled":     {localvault.Faults{Throttle: ever}, schema.CodeThrottled, true},
		"down":          {localvault.Faults{Fail: ever}, schema.CodeUnavailable, true},
		"cut off":       {localvault.Faults{DropAnswer: ever}, schema.CodeUnavailable, true},
		"silent":        {localvault.Faults{Delay: time.Hour}, schema.CodeUnavailable, true},
		"token refused": {localvault.Faults{Expire: ever}, schema.CodeForbidden, false},
	}
	for name, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			c := clientOf(t, server.RoundTripper(), func(config *Config) { config.Retry.Attempts = 1000 })
			key := resolve(t, c, refFor(schema.ES256))
			server.SetFaults(test.faults)
			defer server.SetFaults(localvault.Faults{})
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			start := time.Now()
			sig, err := c.Sign(ctx, key, schema.ES256, someDigest())
			wantCode(t, name, err, test.want)
			discreet(t, err)
			if sig != nil || errors.Is(err, context.DeadlineExceeded) != test.ended || time.Since(start) > 20*time.Second {
				t.Errorf("%s: Sign = %x, %v after %s", name, sig, err, time.Since(start))
			}
		})
	}
}

// TestHopelessCallsCostNothing: what can be told from the Key is refused
// without a request.
func TestHopelessCallsCostNothing(t *testing.T) {
	t.Parallel()
	server := openVault(t, localvault.Config{Keys: keySpecs()[1:2]})
	c := clientOf(t, server.RoundTripper(), nil)
	good := resolve(t, c, refFor(schema.ES256))
	before := server.Stats()
	disabled, foreign := good, good
	disabled.Enabled = false
	foreign.KID = strings.Replace(good.KID, "vault.azure.net", "example.org", 1)
	for name, call := range map[string]func() ([]byte, error){
		"disabled":      func() ([]byte, error) { return c.Sign(t.Context(), disabled, schema.ES256, someDigest()) },
		"foreign vault": func() ([]byte, error) { return c.Sign(t.Context(), foreign, schema.ES256, someDigest()) },
		"unfit":         func() ([]byte, error) { return c.Sign(t.Context(), good, schema.RS256, someDigest()) },
		"short digest":  func() ([]byte, error) { return c.Sign(t.Context(), good, schema.ES256, someDigest()[1:]) },
		"no key":        func() ([]byte, error) { return c.Sign(t.Context(), signer.Key{}, schema.ES256, someDigest()) },
	} {
		if sig, err := call(); sig != nil || err == nil || signer.AsError(err).Code == schema.CodeInternal {
			t.Errorf("%s: Sign = %x, %v", name, sig, err)
		}
	}
	if after := server.Stats(); after.Challenged != before.Challenged || after.Operations["sign"] != before.Operations["sign"] {
		t.Errorf("%+v after %+v: a hopeless call reached the vault", after, before)
	}
}
