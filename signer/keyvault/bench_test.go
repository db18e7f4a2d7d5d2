package keyvault

import (
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/localvault"
)

// BenchmarkSign compares Sign with a bare loop over the SDK on the same vault
// in memory, in turns. x-sdk is the ratio of their times; verify-share is the
// part of Sign that the check of the signature takes.
func BenchmarkSign(b *testing.B) {
	server := openVault(b, localvault.Config{Keys: keySpecs()})
	for _, algorithm := range []schema.Algorithm{schema.RS256, schema.PS256, schema.ES256, schema.ES384, schema.ES512, schema.ES256K} {
		b.Run(string(algorithm), func(b *testing.B) {
			c := clientOf(b, server.RoundTripper(), nil)
			bare := sdk(b, vaultURL, token{}, server.RoundTripper())
			key, digest := resolve(b, c, refFor(algorithm)), digestOf(algorithm, "hello")
			name, version := azkeys.SignatureAlgorithm(algorithm), key.KID[len(key.KID)-32:]
			var ours, theirs, verify time.Duration
			for b.Loop() {
				start := time.Now()
				sig, err := c.Sign(b.Context(), key, algorithm, digest)
				ours += time.Since(start)
				if err != nil {
					b.Fatal(err)
				}
				start = time.Now()
				if _, err := bare.Sign(b.Context(), refFor(algorithm).Name, version, azkeys.SignParameters{Algorithm: &name, Value: digest}, nil); err != nil {
					b.Fatal(err)
				}
				theirs += time.Since(start)
				start = time.Now()
				if err := signer.Verify(key.Public, algorithm, digest, sig); err != nil {
					b.Fatal(err)
				}
				verify += time.Since(start)
			}
			b.ReportMetric(float64(ours)/float64(theirs), "x-sdk")
			b.ReportMetric(float64(verify)/float64(ours), "verify-share")
		})
	}
}
