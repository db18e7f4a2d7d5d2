package localvault_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer/localvault"
)

// oneKey makes a vault with a key k, and a client that has its token already.
func oneKey(t *testing.T, spec localvault.KeySpec) (*localvault.Server, *azkeys.Client) {
	t.Helper()
	spec.Name = "k"
	server := start(t, localvault.Config{Keys: []localvault.KeySpec{spec}})
	c := client(t, server)
	if _, err := c.GetKey(t.Context(), "k", "", nil); err != nil {
		t.Fatal(err)
	}
	return server, c
}

func TestFaultsInPlaceOfAnswers(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		faults localvault.Faults
		status int
		code   string
		retry  string
	}{
		{"throttle", localvault.Faults{Throttle: 2}, 429, "Throttled", ""},
		{"throttle with hint", localvault.Faults{Throttle: 2, RetryAfter: time.Second}, 429, "Throttled", "1"},
		{"fail", localvault.Faults{Fail: 2}, 503, "InternalServerError", ""},
		{"fail with status", localvault.Faults{Fail: 2, FailStatus: 500, RetryAfter: 3 * time.Second}, 500, "InternalServerError", "3"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			server, c := oneKey(t, localvault.KeySpec{Type: "EC"})
			server.SetFaults(tc.faults)
			for range 2 {
				wantRefusal(t, signWith(t.Context(), c, "k", "", "ES256", make([]byte, 32)), tc.status, tc.code, "")
			}
			if err := signWith(t.Context(), c, "k", "", "ES256", make([]byte, 32)); err != nil {
				t.Errorf("after the faults: %v", err)
			}
			server.SetFaults(tc.faults)
			if _, header, _ := ask(t, server, "GET", "/keys/k?api-version=7.6", ""); header.Get("Retry-After") != tc.retry {
				t.Errorf("Retry-After %q, want %q", header.Get("Retry-After"), tc.retry)
			}
			if left := server.Faults(); left.Throttle+left.Fail != 1 {
				t.Errorf("left %+v", left)
			}
		})
	}
}

func TestFaultDrop(t *testing.T) {
	t.Parallel()
	server, c := oneKey(t, localvault.KeySpec{Type: "EC"})
	for _, tc := range []struct {
		faults  localvault.Faults
		charged bool
	}{{localvault.Faults{DropRequest: 1}, false}, {localvault.Faults{DropAnswer: 1}, true}} {
		server.SetFaults(tc.faults)
		server.SetQuota(localvault.Quota{Units: 1})
		err := signWith(t.Context(), c, "k", "", "ES256", make([]byte, 32))
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%+v: got %v, want a broken connection", tc.faults, err)
		}
		if err := signWith(t.Context(), c, "k", "", "ES256", make([]byte, 32)); (err != nil) != tc.charged {
			t.Errorf("%+v: charged %v, want %v", tc.faults, err, tc.charged)
		}
		server.SetQuota(localvault.Quota{Units: 1, Window: time.Hour}) // forgets what was used
	}
	server.SetQuota(localvault.Quota{})
	if got := server.Stats(); got.Dropped != 2 || got.Operations["sign"] != 1 {
		t.Errorf("counts %+v", got)
	}
	if err := signWith(t.Context(), c, "k", "", "ES256", make([]byte, 32)); err != nil {
		t.Errorf("after the faults: %v", err)
	}
}

func TestFaultExpire(t *testing.T) {
	t.Parallel()
	server, c := oneKey(t, localvault.KeySpec{Type: "EC"})
	server.SetFaults(localvault.Faults{Expire: 1})
	if err := signWith(t.Context(), c, "k", "", "ES256", make([]byte, 32)); err != nil {
		t.Errorf("the SDK did not get over an expired token: %v", err)
	}
	if got := server.Stats(); got.Challenged != 2 { // the first probe, and this
		t.Errorf("challenged %d times, want 2", got.Challenged)
	}
}

func TestFaultySignatures(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		spec   localvault.KeySpec
		alg    string
		faults localvault.Faults
		check  func(t *testing.T, signature []byte)
	}{
		{"bit of EC", localvault.KeySpec{Type: "EC"}, "ES256", localvault.Faults{WrongSignature: 1}, wantLength(64)},
		{"bit of RSA", localvault.KeySpec{Type: "RSA"}, "PS256", localvault.Faults{WrongSignature: 1}, wantLength(256)},
		{"unpadded", localvault.KeySpec{Type: "EC"}, "ES256", localvault.Faults{Unpadded: 1}, func(t *testing.T, signature []byte) {
			if len(signature) >= 64 {
				t.Errorf("%d bytes", len(signature))
			}
		}},
		{"r twice", localvault.KeySpec{Type: "EC", Curve: "P-521"}, "ES512", localvault.Faults{RepeatedR: 1}, func(t *testing.T, signature []byte) {
			if len(signature) != 132 || string(signature[:66]) != string(signature[66:]) {
				t.Errorf("%x", signature)
			}
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			server, c := oneKey(t, tc.spec)
			key, err := c.GetKey(t.Context(), "k", "", nil)
			if err != nil {
				t.Fatal(err)
			}
			server.SetFaults(tc.faults)
			digest := randomDigest(tc.alg)
			signed, err := c.Sign(t.Context(), "k", "", azkeys.SignParameters{Algorithm: new(azkeys.SignatureAlgorithm(tc.alg)), Value: digest}, nil)
			if err != nil {
				t.Fatal(err)
			}
			tc.check(t, signed.Result)
			if check(t, key.Key, tc.alg, digest, signed.Result) {
				t.Error("the signature is right")
			}
			signAndVerify(t, c, "k", tc.alg)
		})
	}
}

func wantLength(want int) func(*testing.T, []byte) {
	return func(t *testing.T, signature []byte) {
		if len(signature) != want {
			t.Errorf("%d bytes, want %d", len(signature), want)
		}
	}
}

func TestFaultWrongVersion(t *testing.T) {
	t.Parallel()
	server, c := oneKey(t, localvault.KeySpec{Type: "EC"})
	sign := func() string {
		signed, err := c.Sign(t.Context(), "k", "", azkeys.SignParameters{Algorithm: new(azkeys.SignatureAlgorithmES256), Value: make([]byte, 32)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return signed.KID.Version()
	}
	first := sign()
	server.SetFaults(localvault.Faults{WrongVersion: 1})
	if got := sign(); got == first || len(got) != 32 {
		t.Errorf("only version: got %s", got)
	}
	if _, err := c.CreateKey(t.Context(), "k", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeEC)}, nil); err != nil {
		t.Fatal(err)
	}
	server.SetFaults(localvault.Faults{WrongVersion: 1})
	if got := sign(); got != first {
		t.Errorf("two versions: got %s, want %s", got, first)
	}
}

func TestDelayAndLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := start(t, localvault.Config{
			Keys:   []localvault.KeySpec{{Name: "k", Type: "EC"}},
			Faults: localvault.Faults{Delay: time.Second},
			Latency: func(status int) time.Duration {
				if status == 200 {
					return 50 * time.Millisecond
				}
				return 0
			},
		})
		c := client(t, server)
		took := func(name string) time.Duration {
			from := time.Now()
			signWith(t.Context(), c, name, "", "ES256", make([]byte, 32))
			return time.Since(from)
		}
		if got := took("k"); got != 1050*time.Millisecond {
			t.Errorf("sign took %v", got)
		}
		if got := took("none"); got != time.Second {
			t.Errorf("refusal took %v", got)
		}
	})
}

func TestCancelWhileHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, c := oneKey(t, localvault.KeySpec{Type: "EC"})
		server.SetFaults(localvault.Faults{Delay: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		from := time.Now()
		err := signWith(ctx, c, "k", "", "ES256", make([]byte, 32))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(from) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(from))
		}
	})
}
