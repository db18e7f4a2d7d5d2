package localvault_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/signmill/signmill/signer/localvault"
)

// FuzzRequest sends any method, path and body. The vault must answer each with
// JSON, must not blame itself, and must not show a private member.
func FuzzRequest(f *testing.F) {
	for _, path := range []string{"/keys", "/keys/k", "/keys/k/", "/keys/k/sign", "/keys/k/verify", "/keys//sign", "//", "/keys/k/versions", "/msi/token"} {
		for _, method := range []string{"GET", "POST", "PATCH"} {
			f.Add(method, path, []byte(`{"alg":"ES256","value":"AAAA","digest":"AAAA","key_ops":["sign"],"attributes":{"nbf":-1}}`))
		}
	}
	f.Add("POST", "/keys/new/create", []byte(`{"kty":"EC","crv":"P-256K","tags":{"a":"b"}}`))
	f.Add("PUT", "/keys/new", []byte(`{"key":{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AA","p":"AA","q":"AA"}}`))
	f.Add("PUT", "/keys/new", []byte(`{"Hsm":true,"key":{"kty":"EC","crv":"P-256","d":"AA","x":"AA","y":"AA"}}`))
	addLifecycle(f)
	servers := []*localvault.Server{
		start(f, localvault.Config{Keys: []localvault.KeySpec{{Name: "k", Type: "EC"}, {Name: "oct", Type: "oct-HSM"}, {Name: "gone", Type: "EC"}}}),
		start(f, localvault.Config{ManagedHSM: true, Keys: []localvault.KeySpec{{Name: "k", Type: "EC-HSM"}, {Name: "oct", Type: "oct-HSM"}}}),
	}
	f.Fuzz(func(t *testing.T, method, path string, body []byte) {
		if strings.HasSuffix(path, "/create") && bytes.Contains(body, []byte("RSA")) {
			t.Skip("takes too long")
		}
		for _, server := range servers {
			r := &http.Request{
				Method: method,
				URL:    &url.URL{Scheme: "https", Host: "local.vault.azure.net", Path: path, RawQuery: "api-version=7.6"},
				Header: http.Header{"Authorization": {"Bearer x"}},
				Body:   io.NopCloser(bytes.NewReader(body)),
			}
			response, err := server.RoundTripper().RoundTrip(r.WithContext(t.Context()))
			if err != nil {
				t.Fatal(err)
			}
			checkAnswer(t, response)
		}
	})
}

// addLifecycle adds what goes beyond making keys and signing.
func addLifecycle(f *testing.F) {
	for _, op := range []string{"encrypt", "decrypt", "wrapkey", "unwrapkey", "sign", "verify"} {
		for _, alg := range []string{"A256GCM", "A256CBC", "A256CBCPAD", "A256KW", "HS256", "RSA-OAEP"} {
			f.Add("POST", "/keys/oct/"+op, []byte(`{"alg":"`+alg+`","value":"AAAAAAAAAAAAAAAAAAAAAA","digest":"AAAA","iv":"AAAAAAAAAAAAAAAAAAAAAA","tag":"AAAA","aad":"AAAA"}`))
		}
	}
	f.Add("PUT", "/keys/k/rotationpolicy", []byte(`{"attributes":{"expiryTime":"P1Y90DT48H"},"lifetimeActions":[{"action":{"type":"rotate"},"trigger":{"timeAfterCreate":"P3M"}}]}`))
	f.Add("POST", "/keys/restore", []byte(`{"value":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`))
	f.Add("POST", "/keys/k/release", []byte(`{"target":"a.b.c","enc":"RSA_AES_KEY_WRAP_256"}`))
	f.Add("POST", "/keys/e/create", []byte(`{"kty":"EC-HSM","attributes":{"exportable":true},"release_policy":{"data":"e30"}}`))
	f.Add("POST", "/rng", []byte(`{"count":16}`))
	f.Add("PUT", "/keys/new", []byte(`{"Hsm":true,"key":{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAA"}}`))
	for _, path := range []string{"/keys/k/rotate", "/keys/oct/backup", "/deletedkeys/gone/recover"} {
		f.Add("POST", path, []byte{})
	}
	for _, path := range []string{"/keys/k/rotationpolicy", "/keys/k/attestation", "/deletedkeys", "/deletedkeys/gone"} {
		f.Add("GET", path, []byte{})
	}
	f.Add("DELETE", "/keys/gone", []byte{})
	f.Add("DELETE", "/deletedkeys/gone", []byte{})
}

// FuzzCipher encrypts anything with any algorithm. What the vault encrypts, it
// decrypts to the same.
func FuzzCipher(f *testing.F) {
	for _, alg := range []string{"A128GCM", "A128CBC", "A128CBCPAD", "A128KW"} {
		f.Add(alg, make([]byte, 16), make([]byte, 16), []byte{})
		f.Add(alg, make([]byte, 17), []byte{}, []byte("aad"))
	}
	c := client(f, start(f, localvault.Config{Keys: []localvault.KeySpec{{Name: "k", Type: "oct-HSM", Size: 128}}}))
	f.Fuzz(func(t *testing.T, alg string, value, iv, aad []byte) {
		there, back := cipherCall("encrypt"), cipherCall("decrypt")
		if strings.HasSuffix(alg, "KW") {
			there, back = "wrapKey", "unwrapKey"
		}
		p := parameters(alg, value)
		p.IV, p.AdditionalAuthenticatedData = iv, aad
		sealed, err := there.with(t, c, p)
		if err != nil {
			wantRefusal(t, err, 400, "BadParameter", "")
			return
		}
		p.Value, p.IV, p.AuthenticationTag = sealed.Result, sealed.IV, sealed.AuthenticationTag
		if opened := back.must(t, c, p); !bytes.Equal(opened.Result, value) {
			t.Errorf("%x comes back as %x", value, opened.Result)
		}
	})
}

func checkAnswer(t *testing.T, response *http.Response) {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode >= 500 {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	if response.StatusCode == http.StatusNoContent && len(body) == 0 {
		return
	}
	var answer struct {
		Key map[string]any
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Errorf("%s: %v", body, err)
	}
	for _, member := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
		if _, leaked := answer.Key[member]; leaked {
			t.Errorf("%s shows %s", body, member)
		}
	}
}

// FuzzImport sends any parts of a key, under the same rules as FuzzRequest.
func FuzzImport(f *testing.F) {
	f.Add("EC", "P-256", []byte{1}, []byte{2}, []byte{3})
	f.Add("EC", "P-256K", bytes.Repeat([]byte{0xff}, 32), bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{1}, 32))
	f.Add("RSA", "", bytes.Repeat([]byte{0xff}, 256), []byte{3}, bytes.Repeat([]byte{0xff}, 128))
	f.Add("RSA-HSM", "", bytes.Repeat([]byte{0xff}, 256), []byte{1, 0, 1}, []byte{})
	server := start(f, localvault.Config{})
	f.Fuzz(func(t *testing.T, kty, crv string, a, b, c []byte) {
		key := map[string]any{"kty": kty, "crv": crv, "d": b64(a), "x": b64(b), "y": b64(c),
			"n": b64(a), "e": b64(b), "p": b64(c), "q": b64(c)}
		body, err := json.Marshal(map[string]any{"key": key})
		if err != nil {
			t.Skip()
		}
		r, err := http.NewRequestWithContext(t.Context(), "PUT", memoryURL+"/keys/k?api-version=7.6", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer x")
		response, err := server.RoundTripper().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		checkAnswer(t, response)
	})
}
