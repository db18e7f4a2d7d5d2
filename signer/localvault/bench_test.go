package localvault_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/signmill/signmill/signer/localvault"
)

// BenchmarkSignES256 compares a signature through the vault with a bare one:
// the ratio of times, and the time that the vault adds.
func BenchmarkSignES256(b *testing.B) {
	transport := start(b, localvault.Config{Keys: []localvault.KeySpec{{Name: "k", Type: "EC"}}, Quota: localvault.Quota{Units: 1 << 40}}).RoundTripper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	digest := make([]byte, 32)
	body := []byte(`{"alg":"ES256","value":"` + b64(digest) + `"}`)
	var bare, vault time.Duration
	for b.Loop() {
		from := time.Now()
		if _, _, err := ecdsa.Sign(rand.Reader, key, digest); err != nil {
			b.Fatal(err)
		}
		between := time.Now()
		r, err := http.NewRequestWithContext(b.Context(), "POST", memoryURL+"/keys/k/sign?api-version=7.6", bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer x")
		response, err := transport.RoundTrip(r)
		if err != nil || response.StatusCode != 200 {
			b.Fatal(response, err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			b.Fatal(err)
		}
		bare, vault = bare+between.Sub(from), vault+time.Since(between)
	}
	b.ReportMetric(float64(vault)/float64(bare), "ratio")
	b.ReportMetric(float64((vault-bare).Nanoseconds())/float64(b.N), "added-ns/op")
}
