package keyvault

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/localvault"
)

// TestAllowed asks for every operation with every kind of key: the vault never
// carries one out, and asking follows key_ops.
func TestAllowed(t *testing.T) {
	t.Parallel()
	server := openVault(t, localvault.Config{ManagedHSM: true, Keys: []localvault.KeySpec{
		{Name: "rsa", Type: "RSA-HSM"}, {Name: "p256", Type: "EC-HSM", Curve: "P-256"}, {Name: "p521", Type: "EC-HSM", Curve: "P-521"},
		{Name: "koblitz", Type: "EC-HSM", Curve: "P-256K"}, {Name: "oct", Type: "oct-HSM", Size: 256},
	}})
	const url = "https://example.managedhsm.azure.net"
	c := clientOf(t, server.RoundTripper(), nil)
	vault := vaultOf(t, c, url)
	for _, name := range []string{"rsa", "p256", "p521", "koblitz", "oct"} {
		key, err := c.Resolve(t.Context(), signer.Ref{Vault: url, Name: name})
		if err != nil {
			t.Fatal(err)
		}
		for _, operation := range schema.Operations() {
			err := c.Allowed(t.Context(), key, operation)
			if may := !Asks(key, operation) || slices.Contains(key.Operations, string(operation)); may && err != nil {
				t.Errorf("%s with %s: got %v, want nil", operation, name, err)
			} else if !may {
				wantCode(t, string(operation)+" with "+name, err, schema.CodeKeyUnusable)
			}
		}
		if _, err := vault.Update(t.Context(), name, "", Change{Operations: []string{}}); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "sign without key_ops with "+name, c.Allowed(t.Context(), key, schema.Sign), schema.CodeKeyUnusable)
	}
	for _, operation := range []schema.Operation{schema.Sign, schema.Decrypt, schema.UnwrapKey, schema.Encrypt, schema.WrapKey} {
		if n := server.Stats().Operations[string(operation)]; n != 0 {
			t.Errorf("%s was done %d times", operation, n)
		}
	}
}

// TestAllowedRefused tells a missing role, and a vault that does what cannot be
// done.
func TestAllowedRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refusing := newStub(t, func(_ int64, req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodPost {
				return refusal(http.StatusForbidden, "Forbidden", "ForbiddenByRbac"), nil
			}
			return nil, nil
		})
		c := clientOf(t, refusing, nil)
		err := c.Allowed(t.Context(), mustResolve(t, c), schema.Sign)
		wantCode(t, "no role", err, schema.CodeForbidden)
		if !strings.Contains(err.Error(), "Key Vault Crypto User") {
			t.Errorf("got %v, want the role", err)
		}
		c = clientOf(t, newStub(t, nil), nil) // signs anything
		wantCode(t, "signed", c.Allowed(t.Context(), mustResolve(t, c), schema.Sign), schema.CodeIntegrity)
	})
}

func mustResolve(t *testing.T, c *Client) signer.Key {
	t.Helper()
	key, err := c.Resolve(t.Context(), someRef())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// badGateway stands before the vault and answers for it.
type badGateway struct{}

func (badGateway) RoundTrip(*http.Request) (*http.Response, error) {
	return status(http.StatusBadGateway), nil
}

func TestGreet(t *testing.T) {
	t.Parallel()
	c := clientOf(t, openVault(t, localvault.Config{Tenant: "t1"}).RoundTripper(), nil)
	got, err := c.Greet(t.Context(), vaultURL)
	if err != nil {
		t.Fatal(err)
	}
	if got.Tenant != "t1" || !strings.HasPrefix(got.Scope, "https://") || !strings.HasSuffix(got.Scope, "/.default") {
		t.Errorf("got %+v, want scope and tenant", got)
	}
	_, err = c.Greet(t.Context(), "https://example.org")
	wantCode(t, "no vault", err, schema.CodeForbidden)
	failing := clientOf(t, newStub(t, nil), func(config *Config) {
		config.Transport = badGateway{}
	})
	_, err = failing.Greet(t.Context(), vaultURL)
	wantCode(t, "gateway", err, schema.CodeUnavailable)
}

func TestReadGreeting(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		challenge string
		want      Greeting
	}{
		"vault":   {`Bearer authorization="https://login.microsoftonline.com/t1", resource="https://vault.azure.net"`, Greeting{Scope: "https://vault.azure.net/.default", Tenant: "t1"}},
		"scope":   {`Bearer authorization="https://l/t1" scope="https://x/.default" resource="https://y"`, Greeting{Scope: "https://x/.default", Tenant: "t1"}},
		"nothing": {"", Greeting{}},
		"junk":    {"Bearer authorization=nonsense,=,==", Greeting{}},
	}
	date := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for name, tt := range tests {
		tt.want.Date = date
		got := readGreeting(http.Header{"Www-Authenticate": {tt.challenge}, "Date": {date.Format(http.TimeFormat)}})
		if got != tt.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
}
