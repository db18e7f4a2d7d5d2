package keyvault

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// hostile is a server that answers without knowing the protocol.
type hostile func(*http.Request) (*http.Response, error)

func (h hostile) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := h(req)
	if resp != nil {
		resp.Request = req
		if resp.Body == nil {
			resp.Body = http.NoBody
		}
		if resp.Header == nil {
			resp.Header = http.Header{}
		}
	}
	return resp, err
}

// token is a credential with one word that must never be read anywhere.
type token struct{}

const secret = "a-very-secret-token"

func (token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: secret, ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// resolveFrom asks a hostile server for a key, once.
func resolveFrom(t testing.TB, server hostile) error {
	t.Helper()
	c := newClient(t, func(config *Config) {
		config.Credential, config.Transport, config.Retry.Attempts = token{}, server, 1
	})
	_, err := c.Resolve(t.Context(), signer.Ref{Vault: "https://example.vault.azure.net", Name: "invoices"})
	return err
}

func wantCode(t testing.TB, what string, err error, code schema.Code) {
	t.Helper()
	var e *signer.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("%s: %v, want code %s", what, err, code)
	}
}

func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	endless := func() io.ReadCloser { return io.NopCloser(endlessZeros{}) }
	broken := func() io.ReadCloser {
		return io.NopCloser(io.MultiReader(strings.NewReader("{"), failing{errors.New("cut off")}))
	}
	tests := []struct {
		name string
		resp *http.Response
		want schema.Code
		says string
	}{
		{"endless body", &http.Response{StatusCode: 200, Body: endless()}, schema.CodeUnavailable, "longer than"},
		{"broken body", &http.Response{StatusCode: 200, Body: broken()}, schema.CodeUnavailable, "cut off"},
		{"not JSON", &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("<html>"))}, schema.CodeUnavailable, ""},
		{"empty", &http.Response{StatusCode: 200}, schema.CodeIntegrity, "no key"},
		{"nothing in JSON", &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("{}"))}, schema.CodeIntegrity, "no key"},
		{"a redirect", &http.Response{StatusCode: 302, Header: http.Header{"Location": {"https://example.org"}}}, schema.CodeVaultRejected, "302"},
		{"403 in text", &http.Response{StatusCode: 403, Body: io.NopCloser(strings.NewReader("no\x1b[31m way"))}, schema.CodeForbidden, "Key Vault Crypto User"},
		{"challenge without tenant", challenge(`Bearer authorization="https://login.example.org", resource="https://vault.azure.net"`), schema.CodeForbidden, "token"},
		{"challenge for another domain", challenge(`Bearer authorization="https://login.example.org/t", resource="https://example.org"`), schema.CodeUnavailable, "token"},
		{"challenge of nothing", challenge(`Bearer`), schema.CodeUnavailable, "token"},
		{"no challenge", &http.Response{StatusCode: 401}, schema.CodeForbidden, "token"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := resolveFrom(t, func(*http.Request) (*http.Response, error) { return test.resp, nil })
			wantCode(t, test.name, err, test.want)
			if !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("the error reads %q, want %q in it", err, test.says)
			}
		})
	}
}

func challenge(text string) *http.Response {
	return &http.Response{StatusCode: 401, Header: http.Header{"Www-Authenticate": {text}}, Body: http.NoBody}
}

type endlessZeros struct{}

func (endlessZeros) Read(p []byte) (int, error) { return len(p), nil }

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// FuzzChallenge lets a server choose the challenge: no text may bring the
// SDK down.
func FuzzChallenge(f *testing.F) {
	f.Add(`Bearer authorization="https://login.example.org/t", resource="https://vault.azure.net"`)
	f.Add(`Bearer authorization="https://login.example.org" resource="https://vault.azure.net"`)
	f.Add(`Bearer authorization=x authorization=https://a/b/c scope=https://vault.azure.net`)
	f.Add(`BearerBearer  authorization=x scope=https://vault.azure.net`)
	f.Fuzz(func(t *testing.T, text string) {
		err := resolveFrom(t, func(*http.Request) (*http.Response, error) { return challenge(text), nil })
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("Resolve = %v", err)
		}
	})
}

// TestSilentServerIsLeft shows the bound on one attempt, and that an attempt
// that ran out of time is not mistaken for the end of the caller's context.
func TestSilentServerIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := resolveFrom(t, func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		})
		wantCode(t, "silent server", err, schema.CodeUnavailable)
		if took := time.Since(start); took != 30*time.Second {
			t.Errorf("took %s, want 30s", took)
		}
		if errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer within 30s") {
			t.Errorf("the error reads %q", err)
		}
	})
}
