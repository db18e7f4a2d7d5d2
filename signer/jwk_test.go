package signer_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// TestMarshalJWKOfTheRFC writes the example keys of RFC 7517, appendix A.1.
func TestMarshalJWKOfTheRFC(t *testing.T) {
	t.Parallel()
	const x, y = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
	const n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
	point := append([]byte{4}, append(unbase64(t, x), unbase64(t, y)...)...)
	ec, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]signer.Key{
		`{"kid":"1","kty":"EC","crv":"P-256","x":"` + x + `","y":"` + y + `"}`: {KID: "1", Public: ec},
		`{"kid":"2011-04-29","kty":"RSA","n":"` + n + `","e":"AQAB"}`:          {KID: "2011-04-29", Public: &rsa.PublicKey{N: new(big.Int).SetBytes(unbase64(t, n)), E: 65537}},
	}
	for want, key := range tests {
		if got, err := signer.MarshalJWK(key); err != nil || string(got) != want {
			t.Errorf("MarshalJWK = %s, %v; want %s", got, err, want)
		}
	}
}

func unbase64(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestMarshalJWKIsAsWideAsTheCurve writes keys until some have a zero in
// front, which must not be lost (RFC 7518, section 6.2.1.2).
func TestMarshalJWKIsAsWideAsTheCurve(t *testing.T) {
	t.Parallel()
	widths := map[schema.Algorithm]int{schema.ES256: 32, schema.ES384: 48, schema.ES512: 66, schema.ES256K: 32}
	for algorithm, width := range widths {
		for zeros := 0; zeros < 2; {
			public := keyFor(t, algorithm).public
			text, err := signer.MarshalJWK(asKey(public))
			var got struct{ Kid, Kty, Crv, X, Y string }
			if err != nil || json.Unmarshal(text, &got) != nil {
				t.Fatalf("%s: %s, %v", algorithm, text, err)
			}
			x, y := unbase64(t, got.X), unbase64(t, got.Y)
			curve := algorithm.Curve()
			if curve == "P-256K" {
				curve = "secp256k1" // RFC 8812, section 3.1
			}
			if len(x) != width || len(y) != width || got.Crv != curve || got.Kty != "EC" || got.Kid != asKey(nil).KID || !onKey(public, x, y) {
				t.Fatalf("%s: %s", algorithm, text)
			}
			if x[0] == 0 || y[0] == 0 {
				zeros++
			}
		}
	}
}

func onKey(public crypto.PublicKey, x, y []byte) bool {
	point := append(append([]byte{4}, x...), y...)
	switch public := public.(type) {
	case *ecdsa.PublicKey:
		got, err := ecdsa.ParseUncompressedPublicKey(public.Curve, point)
		return err == nil && got.Equal(public)
	case *secp256k1.PublicKey:
		got, err := secp256k1.ParsePubKey(point)
		return err == nil && got.IsEqual(public)
	}
	return false
}

func TestMarshalJWKRefuses(t *testing.T) {
	t.Parallel()
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, public := range map[string]crypto.PublicKey{"none": nil, "P-224": &p224.PublicKey, "Ed25519": ed25519.PublicKey(make([]byte, 32))} {
		if text, err := signer.MarshalJWK(asKey(public)); err == nil {
			t.Errorf("%s: %s", name, text)
		}
	}
}
