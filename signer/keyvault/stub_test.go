package keyvault

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// stub is a vault with one P-256 key. It challenges requests without a token
// at once, and answers others after 50 ms, unless the test's script does.
type stub struct {
	private *ecdsa.PrivateKey
	probes  atomic.Int64 // requests that were challenged
	calls   atomic.Int64 // all others
	script  func(n int64, req *http.Request) (*http.Response, error)
}

const latency = 50 * time.Millisecond

func newStub(t testing.TB, script func(n int64, req *http.Request) (*http.Response, error)) *stub {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &stub{private: private, script: script}
}

func (s *stub) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "https" && req.Header.Get("Authorization") != "Bearer "+secret {
		s.probes.Add(1)
		return challenge(`Bearer authorization="https://login.example.org/tenant", resource="https://vault.azure.net"`), nil
	}
	n := s.calls.Add(1)
	if err := pause(req.Context(), latency); err != nil {
		return nil, err
	}
	if s.script != nil {
		if resp, err := s.script(n, req); resp != nil || err != nil {
			return resp, err
		}
	}
	if req.Method == http.MethodGet {
		return answer200(s.bundle()), nil
	}
	var body struct{ Value string }
	if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
		return status(400), nil
	}
	digest, _ := base64.RawURLEncoding.DecodeString(body.Value)
	return answer200(map[string]any{"kid": someKID, "value": base64url(s.sign(digest))}), nil
}

func (s *stub) sign(digest []byte) []byte {
	r, sig, err := ecdsa.Sign(rand.Reader, s.private, digest)
	if err != nil {
		panic(err)
	}
	return append(r.FillBytes(make([]byte, 32)), sig.FillBytes(make([]byte, 32))...)
}

func (s *stub) bundle() map[string]any {
	point, err := s.private.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	return map[string]any{
		"key":        map[string]any{"kid": someKID, "kty": "EC", "crv": "P-256", "x": base64url(point[1:33]), "y": base64url(point[33:])},
		"attributes": map[string]any{"enabled": true},
	}
}

func (s *stub) key() signer.Key {
	return signer.Key{KID: someKID, Public: &s.private.PublicKey, Enabled: true}
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func answer200(body any) *http.Response {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(text))}
}

func status(code int, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: code, Header: h, Body: http.NoBody}
}

// refusal is an error answer with an inner code, in the vault's form.
func refusal(code int, name, inner string) *http.Response {
	resp := answer200(map[string]any{"error": map[string]any{"code": name, "message": "the vault says no", "innererror": map[string]any{"code": inner}}})
	resp.StatusCode = code
	return resp
}

func clientOf(t testing.TB, server http.RoundTripper, change func(*Config)) *Client {
	t.Helper()
	return newClient(t, func(config *Config) {
		config.Credential, config.Transport = token{}, server
		if change != nil {
			change(config)
		}
	})
}

func someRef() signer.Ref {
	return signer.Ref{Vault: "https://example.vault.azure.net", Name: "invoices"}
}

func someDigest() []byte {
	digest := sha256.Sum256([]byte("hello"))
	return digest[:]
}

// signOnce signs through c and checks that no error tells the token or the
// digest.
func signOnce(t testing.TB, c *Client, key signer.Key) error {
	t.Helper()
	sig, err := c.Sign(t.Context(), key, schema.ES256, someDigest())
	if (sig == nil) == (err == nil) {
		t.Errorf("Sign = %x, %v", sig, err)
	}
	discreet(t, err)
	return err
}

func discreet(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	text := fmt.Sprintf("%v %+v %#v", err, err, signer.AsError(err).Message)
	for _, word := range []string{secret, base64url(someDigest()), fmt.Sprintf("%x", someDigest())} {
		if strings.Contains(text, word) {
			t.Errorf("the error tells %q: %s", word, text)
		}
	}
}

// given is a credential with a token from outside.
type given string

func (g given) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(g), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// issuer is a credential that counts its tokens, each of which takes a while.
type issuer struct{ issued atomic.Int64 }

func (i *issuer) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	i.issued.Add(1)
	if err := pause(ctx, latency/2); err != nil {
		return azcore.AccessToken{}, err
	}
	return token{}.GetToken(ctx, options)
}
