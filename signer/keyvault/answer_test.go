package keyvault

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// FuzzAnswer lets a server choose status and body of its answers to Resolve
// and Sign. No text brings the client down, becomes a signature that does not
// verify, or reaches a terminal unclipped.
func FuzzAnswer(f *testing.F) {
	f.Add(200, []byte(`{"key":{"kid":"`+someKID+`","kty":"EC","crv":"P-256","x":"AA","y":"AA","key_ops":[null]},"attributes":{"enabled":null,"exp":-1}}`))
	f.Add(200, []byte(`{"key":{"kid":"`+someKID+`","kty":"RSA","n":"AA","e":"AQAB"}}`))
	f.Add(200, []byte(`{"kid":"`+someKID+`","value":"AAAA"}`))
	f.Add(200, []byte(`{"kid":null,"value":null,"key":null,"attributes":[]}`))
	f.Add(403, []byte(`{"error":{"code":"Forbidden","message":"no","innererror":{"code":"KeyDisabled"}}}`))
	f.Add(429, []byte(`{"error":[]}`))
	f.Add(500, []byte("\x1b[31m"))
	key := newStub(f, nil).key()
	f.Fuzz(func(t *testing.T, code int, body []byte) {
		server := hostile(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 100 + int(uint(code)%500), Body: io.NopCloser(bytes.NewReader(body))}, nil
		})
		c := clientOf(t, server, func(config *Config) { config.Retry.Attempts = 1 })
		found, err := c.Resolve(t.Context(), someRef())
		if err == nil && (found.KID == "" || found.Public == nil) {
			t.Errorf("Resolve = %+v", found)
		}
		printable(t, err)
		sig, err := c.Sign(t.Context(), key, schema.ES256, someDigest())
		if err == nil && signer.Verify(key.Public, schema.ES256, someDigest(), sig) != nil {
			t.Errorf("Sign = %x, which does not verify", sig)
		}
		printable(t, err)
	})
}

func printable(t *testing.T, err error) {
	t.Helper()
	discreet(t, err)
	if err == nil {
		return
	}
	if e := signer.AsError(err); e.Code == schema.CodeInternal || strings.ContainsFunc(e.Message, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("%s with message %q", e.Code, e.Message)
	}
}
