package signer_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

func TestPEMRoundTrip(t *testing.T) {
	t.Parallel()
	for _, algorithm := range schema.PublicKeySignatures() {
		public := keyFor(t, algorithm).public
		text, err := signer.MarshalPEM(public)
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		back, err := signer.ParsePEM(text)
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		if again, err := signer.MarshalPEM(back); err != nil || string(again) != string(text) {
			t.Errorf("%s: round trip gives %s, %v; want %s", algorithm, again, err, text)
		}
	}
}

func TestMarshalPEMRefusesOtherKeys(t *testing.T) {
	t.Parallel()
	edwards, _, _ := ed25519.GenerateKey(rand.Reader)
	for _, public := range []crypto.PublicKey{nil, edwards, "text", rsaKeys()[2048], &ecdsa.PublicKey{}} {
		if text, err := signer.MarshalPEM(public); err == nil {
			t.Errorf("MarshalPEM(%T) = %s, want an error", public, text)
		}
	}
}

// k1Compressed is the base point of secp256k1 in compressed form.
const k1Compressed = "-----BEGIN PUBLIC KEY-----\n" +
	"MDYwEAYHKoZIzj0CAQYFK4EEAAoDIgACeb5mfvncu6xVoGKVzocLBwKb/NstzijZWfKBWxb4F5g=\n" +
	"-----END PUBLIC KEY-----\n"

func TestParsePEMRefuses(t *testing.T) {
	t.Parallel()
	text, err := signer.MarshalPEM(k1Key(t).public)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	with := func(change func(der []byte) []byte) string {
		der := change([]byte(string(block.Bytes)))
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	tests := map[string]string{
		"compressed point": k1Compressed,
		"nothing":          "",
		"no PEM":           "hello",
		"other label":      strings.ReplaceAll(string(text), "PUBLIC", "PRIVATE"),
		"two keys":         string(text) + string(text),
		"much text":        strings.Repeat("\n", 17<<10) + string(text),
		"byte behind":      with(func(der []byte) []byte { return append(der, 0) }),
		"cut off":          with(func(der []byte) []byte { return der[:len(der)-1] }),
		"not on the curve": with(func(der []byte) []byte { der[len(der)-1] ^= 1; return der }),
		"hybrid point":     with(func(der []byte) []byte { der[len(der)-65] = 6; return der }),
		"unused bits":      with(func(der []byte) []byte { der[len(der)-66] = 1; return der }),
		"P-224":            pkix(t, newEC(t, elliptic.P224())),
		"Ed25519":          pkix(t, newEdwards(t)),
		"RSA 1024":         pkix(t, smallRSA()),
	}
	for name, text := range tests {
		if key, err := signer.ParsePEM([]byte(text)); err == nil {
			t.Errorf("%s: ParsePEM = %T, want an error", name, key)
		}
	}
}

func newEC(t *testing.T, curve elliptic.Curve) crypto.PublicKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &key.PublicKey
}

func newEdwards(t *testing.T) crypto.PublicKey {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return public
}

// smallRSA has the upper half of a real modulus.
func smallRSA() crypto.PublicKey {
	n := rsaKeys()[2048].N.Bytes()[:128]
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
}

func pkix(t *testing.T, public crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func FuzzParsePEM(f *testing.F) {
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\nMFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAE\n-----END PUBLIC KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := signer.ParsePEM(text)
		if err != nil {
			return
		}
		if _, err := signer.MarshalPEM(key); err != nil {
			t.Errorf("MarshalPEM of a parsed %T: %v", key, err)
		}
	})
}
