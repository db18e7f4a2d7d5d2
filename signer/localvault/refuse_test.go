package localvault_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer/localvault"
)

// wantRefusal checks an SDK error's status, code and inner code.
func wantRefusal(t *testing.T, err error, status int, code, inner string) {
	t.Helper()
	refusal, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		t.Fatalf("got %v, want a refusal", err)
	}
	body, readErr := io.ReadAll(refusal.RawResponse.Body)
	if readErr != nil {
		t.Fatal(readErr)
	}
	var got struct {
		Error struct {
			Inner struct{ Code string } `json:"innererror"`
		}
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("body %q: %v", body, err)
	}
	if refusal.StatusCode != status || refusal.ErrorCode != code || got.Error.Inner.Code != inner {
		t.Errorf("got %d %s %q, want %d %s %q\n%s", refusal.StatusCode, refusal.ErrorCode, got.Error.Inner.Code, status, code, inner, body)
	}
}

func signWith(ctx context.Context, c *azkeys.Client, name, version, alg string, digest []byte) error {
	_, err := c.Sign(ctx, name, version, azkeys.SignParameters{Algorithm: new(azkeys.SignatureAlgorithm(alg)), Value: digest}, nil)
	return err
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	c := client(t, start(t, localvault.Config{Keys: []localvault.KeySpec{
		{Name: "ec", Type: "EC"}, {Name: "rsa", Type: "RSA"}, {Name: "verifier", Type: "EC", Ops: []string{"verify"}},
	}}))
	cases := []struct {
		name, key, version, alg string
		digest                  int
		status                  int
		code, inner             string
	}{
		{"short digest", "ec", "", "ES256", 31, 400, "BadParameter", ""},
		{"long digest", "rsa", "", "RS256", 64, 400, "BadParameter", ""},
		{"no digest", "rsa", "", "RS256", 0, 400, "BadParameter", ""},
		{"other curve", "ec", "", "ES384", 48, 400, "BadParameter", ""},
		{"same width, other curve", "ec", "", "ES256K", 32, 400, "BadParameter", ""},
		{"RSA algorithm, EC key", "ec", "", "RS256", 32, 400, "BadParameter", ""},
		{"EC algorithm, RSA key", "rsa", "", "ES256", 32, 400, "BadParameter", ""},
		{"unknown algorithm", "rsa", "", "RSNULL", 32, 400, "BadParameter", ""},
		{"no such key", "none", "", "ES256", 32, 404, "KeyNotFound", ""},
		{"no such version", "ec", "0123456789abcdef0123456789abcdef", "ES256", 32, 404, "KeyNotFound", ""},
		{"not a version", "ec", "0123456789abcdef0123456789abcdeg", "ES256", 32, 400, "BadParameter", ""},
		{"not a name", "under_score", "", "ES256", 32, 400, "BadParameter", ""},
		{"operation", "verifier", "", "ES256", 32, 403, "Forbidden", "KeyOperationForbidden"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			err := signWith(t.Context(), c, tc.key, tc.version, tc.alg, make([]byte, tc.digest))
			wantRefusal(t, err, tc.status, tc.code, tc.inner)
		})
	}
	err := signWith(t.Context(), c, "ec", "", "ES256", make([]byte, 31))
	if !strings.Contains(err.Error(), "31") || !strings.Contains(err.Error(), "32") {
		t.Errorf("%v\ndoes not tell what it got and what it needs", err)
	}
}

func TestDisabledKey(t *testing.T) {
	t.Parallel()
	c := client(t, start(t, localvault.Config{Keys: []localvault.KeySpec{{Name: "k", Type: "EC"}}}))
	enable := func(on bool) {
		attributes := &azkeys.KeyAttributes{Enabled: new(on)}
		if _, err := c.UpdateKey(t.Context(), "k", "", azkeys.UpdateKeyParameters{KeyAttributes: attributes}, nil); err != nil {
			t.Fatal(err)
		}
	}
	enable(false)
	wantRefusal(t, signWith(t.Context(), c, "k", "", "ES256", make([]byte, 32)), 403, "Forbidden", "KeyDisabled")
	_, err := c.GetKey(t.Context(), "k", "", nil)
	wantRefusal(t, err, 403, "Forbidden", "KeyDisabled")
	enable(true)
	signAndVerify(t, c, "k", "ES256")
}

func TestDates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, start(t, localvault.Config{Keys: []localvault.KeySpec{{Name: "k", Type: "EC"}}}))
		from, until := time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
		attributes := &azkeys.KeyAttributes{NotBefore: &from, Expires: &until}
		if _, err := c.UpdateKey(t.Context(), "k", "", azkeys.UpdateKeyParameters{KeyAttributes: attributes}, nil); err != nil {
			t.Fatal(err)
		}
		digest := make([]byte, 32)
		verify := func() {
			_, err := c.Verify(t.Context(), "k", "", azkeys.VerifyParameters{
				Algorithm: new(azkeys.SignatureAlgorithmES256), Digest: digest, Signature: make([]byte, 64)}, nil)
			if err != nil {
				t.Errorf("verify: %v", err)
			}
		}
		verify()
		wantRefusal(t, signWith(t.Context(), c, "k", "", "ES256", digest), 403, "Forbidden", "KeyNotYetValid")
		<-time.After(time.Hour)
		if err := signWith(t.Context(), c, "k", "", "ES256", digest); err != nil {
			t.Errorf("inside the dates: %v", err)
		}
		<-time.After(time.Hour)
		verify()
		wantRefusal(t, signWith(t.Context(), c, "k", "", "ES256", digest), 403, "Forbidden", "KeyExpired")
	})
}

// ask sends one request with a token and returns status, header and body.
func ask(t *testing.T, server *localvault.Server, method, target, body string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, memoryURL+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer anything")
	r.Header.Set("X-Ms-Client-Request-Id", "abc")
	response, err := server.RoundTripper().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(text)
}

func TestRawRequests(t *testing.T) {
	t.Parallel()
	server := start(t, localvault.Config{Keys: []localvault.KeySpec{{Name: "k", Type: "EC"}}})
	const good = `{"alg":"ES256","value":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`
	cases := []struct {
		name, method, target, body string
		status                     int
	}{
		{"sign", "POST", "/keys/k/sign?api-version=7.6", good, 200},
		{"unknown api-version", "POST", "/keys/k/sign?api-version=2999-01-01", good, 200},
		{"trailing slash", "GET", "/keys/k/?api-version=7.6", "", 200},
		{"missing api-version", "POST", "/keys/k/sign", good, 400},
		{"unknown path", "GET", "/secrets?api-version=7.6", "", 404},
		{"too deep", "GET", "/keys/k/1/2/3?api-version=7.6", "", 404},
		{"root", "GET", "/?api-version=7.6", "", 404},
		{"method", "DELETE", "/keys/k/sign?api-version=7.6", "", 405},
		{"not JSON", "POST", "/keys/k/sign?api-version=7.6", "{", 400},
		{"padded base64", "POST", "/keys/k/sign?api-version=7.6", strings.Replace(good, `"}`, `="}`, 1), 400},
		{"large body", "POST", "/keys/k/sign?api-version=7.6", strings.Repeat(" ", 64<<10) + good, 413},
		{"page size", "GET", "/keys?api-version=7.6&maxresults=26", "", 400},
		{"page mark", "GET", "/keys?api-version=7.6&$skiptoken=none", "", 400},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			status, header, body := ask(t, server, tc.method, tc.target, tc.body)
			if status != tc.status {
				t.Errorf("status %d, want %d: %s", status, tc.status, body)
			}
			for _, name := range []string{"Cache-Control", "Pragma", "Expires", "Date", "X-Ms-Request-Id", "X-Ms-Keyvault-Region", "X-Ms-Keyvault-Service-Version", "X-Ms-Keyvault-Network-Info"} {
				if header.Get(name) == "" {
					t.Errorf("header %s is missing", name)
				}
			}
			if got := header.Get("X-Ms-Client-Request-Id"); got != "abc" {
				t.Errorf("client request id %q", got)
			}
		})
	}
}

func TestManagedHSM(t *testing.T) {
	t.Parallel()
	server := start(t, localvault.Config{ManagedHSM: true, Keys: []localvault.KeySpec{{Name: "k", Type: "EC-HSM"}}})
	c := clientFor(t, "https://pool.managedhsm.azure.net", server.RoundTripper())
	signAndVerify(t, c, "k", "ES256")
	_, err := c.GetKey(t.Context(), "none", "", nil)
	wantRefusal(t, err, 404, "KeyNotFound", "")
	_, header, body := ask(t, server, "POST", "/keys/k/sign?api-version=7.6", `{"alg":"ES256","value":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`)
	if !strings.Contains(body, `"alg":"ES256"`) || header.Get("X-Ms-Keyvault-Service-Version") != "" {
		t.Errorf("answer %s with header %v", body, header)
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	const vaultBody = `{"error":{"code":"Unauthorized","message":"AKV10000: Request is missing a Bearer or PoP token."}}`
	cases := []struct {
		url, resource, body string
		hsm                 bool
	}{
		{"https://local.vault.azure.net", "https://vault.azure.net", vaultBody, false},
		{"https://vault.localhost:8443", "https://localhost:8443", vaultBody, false},
		{"https://localhost:8443", "https://vault.azure.net", vaultBody, false},
		{"https://127.0.0.1:8443", "https://vault.azure.net", vaultBody, false},
		{"https://[::1]:8443", "https://vault.azure.net", vaultBody, false},
		{"https://pool.managedhsm.azure.net", "https://managedhsm.azure.net", "OK", true},
		{"https://localhost", "https://managedhsm.azure.net", "OK", true},
	}
	for _, tc := range cases {
		t.Run(tc.url, func(t *testing.T) {
			server := start(t, localvault.Config{ManagedHSM: tc.hsm, Tenant: "some-tenant"})
			r, err := http.NewRequestWithContext(t.Context(), "POST", tc.url+"/keys/none/sign", bytes.NewReader(nil))
			if err != nil {
				t.Fatal(err)
			}
			response, err := server.RoundTripper().RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			want := `Bearer authorization="https://login.microsoftonline.com/some-tenant", resource="` + tc.resource + `"`
			if got := response.Header.Get("Www-Authenticate"); response.StatusCode != 401 || got != want || string(body) != tc.body {
				t.Errorf("%d %s\n%s\nwant %s", response.StatusCode, got, body, want)
			}
		})
	}
}
