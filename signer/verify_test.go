package signer_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

func TestVerifyTakesWhatStandardCryptoSigns(t *testing.T) {
	t.Parallel()
	for _, algorithm := range schema.PublicKeySignatures() {
		t.Run(string(algorithm), func(t *testing.T) {
			t.Parallel()
			key, digest := keyFor(t, algorithm), digestOf(algorithm, "hello")
			if err := signer.Verify(key.public, algorithm, digest, key.sign(algorithm, digest)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestVerifyTakesAllRSASizes(t *testing.T) {
	t.Parallel()
	for _, bits := range []int{3072, 4096} {
		for _, algorithm := range []schema.Algorithm{schema.RS256, schema.RS384, schema.RS512, schema.PS256, schema.PS384, schema.PS512} {
			key, digest := rsaKey(t, bits), digestOf(algorithm, "hello")
			if err := signer.Verify(key.public, algorithm, digest, key.sign(algorithm, digest)); err != nil {
				t.Errorf("%s with %d bits: %v", algorithm, bits, err)
			}
		}
	}
}

// TestVerifyRefusesWrongSignatures covers what real signers have returned:
// broken bits, lost padding, r twice, ASN.1 in place of JOSE, nothing at all.
func TestVerifyRefusesWrongSignatures(t *testing.T) {
	t.Parallel()
	damage := map[string]func(sig []byte) []byte{
		"first bit":       func(sig []byte) []byte { sig[0] ^= 0x80; return sig },
		"last bit":        func(sig []byte) []byte { sig[len(sig)-1] ^= 1; return sig },
		"first byte lost": func(sig []byte) []byte { return sig[1:] },
		"last byte lost":  func(sig []byte) []byte { return sig[:len(sig)-1] },
		"zero in front":   func(sig []byte) []byte { return append([]byte{0}, sig...) },
		"byte behind":     func(sig []byte) []byte { return append(sig, 0) },
		"r twice":         func(sig []byte) []byte { return slices.Repeat(sig[:len(sig)/2], 2) },
		"r and s swapped": func(sig []byte) []byte { return slices.Concat(sig[len(sig)/2:], sig[:len(sig)/2]) },
		"zeros":           func(sig []byte) []byte { return make([]byte, len(sig)) },
		"ones":            func(sig []byte) []byte { return bytes.Repeat([]byte{0xff}, len(sig)) },
		"nothing":         func([]byte) []byte { return nil },
	}
	for _, algorithm := range schema.PublicKeySignatures() {
		key, digest := keyFor(t, algorithm), digestOf(algorithm, "hello")
		for name, spoil := range damage {
			sig := spoil(key.sign(algorithm, digest))
			if err := signer.Verify(key.public, algorithm, digest, sig); !errors.Is(err, signer.ErrNotVerified) {
				t.Errorf("%s, %s: %v, want ErrNotVerified", algorithm, name, err)
			}
		}
		sig := key.sign(algorithm, digest)
		wantCode(t, string(algorithm)+", digest too long", signer.Verify(key.public, algorithm, append(digest, 0), sig), schema.CodeAlgorithmNotFitting)
		wantCode(t, string(algorithm)+", digest too short", signer.Verify(key.public, algorithm, digest[1:], sig), schema.CodeAlgorithmNotFitting)
		other := digestOf(algorithm, "hullo")
		if err := signer.Verify(key.public, algorithm, other, key.sign(algorithm, digest)); !errors.Is(err, signer.ErrNotVerified) {
			t.Errorf("%s, other digest: %v, want ErrNotVerified", algorithm, err)
		}
	}
}

func TestVerifyFixesTheSaltOfPSS(t *testing.T) {
	t.Parallel()
	key := rsaKeys()[2048]
	digest := digestOf(schema.PS256, "hello")
	for _, salt := range []int{0, 20, 31, 33, 222} {
		sig, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest, &rsa.PSSOptions{SaltLength: salt})
		if err != nil {
			t.Fatal(err)
		}
		if err := signer.Verify(&key.PublicKey, schema.PS256, digest, sig); !errors.Is(err, signer.ErrNotVerified) {
			t.Errorf("salt of %d bytes: %v, want ErrNotVerified", salt, err)
		}
	}
}

func TestVerifyTakesBothHalvesOfS(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []schema.Algorithm{schema.ES256, schema.ES384, schema.ES512, schema.ES256K} {
		key, digest := keyFor(t, algorithm), digestOf(algorithm, "hello")
		sig := key.sign(algorithm, digest)
		other := slices.Clone(sig)
		s := new(big.Int).SetBytes(sig[len(sig)/2:])
		s.Sub(order(algorithm), s).FillBytes(other[len(sig)/2:])
		for _, sig := range [][]byte{sig, other} {
			if err := signer.Verify(key.public, algorithm, digest, sig); err != nil {
				t.Errorf("%s: %v", algorithm, err)
			}
		}
	}
}

func TestFitsRefusesOtherKeys(t *testing.T) {
	t.Parallel()
	edwards, _, _ := ed25519.GenerateKey(rand.Reader)
	p224, _ := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	keys := map[string]crypto.PublicKey{
		"nothing":          nil,
		"nil RSA":          (*rsa.PublicKey)(nil),
		"nil EC":           (*ecdsa.PublicKey)(nil),
		"nil P-256K":       (*secp256k1.PublicKey)(nil),
		"RSA without N":    &rsa.PublicKey{},
		"RSA 1024":         &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023), E: 65537},
		"RSA 16384":        &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 16383), E: 65537},
		"EC without curve": &ecdsa.PublicKey{},
		"P-224":            &p224.PublicKey,
		"Ed25519":          edwards,
		"RSA by value":     rsa.PublicKey{},
	}
	for _, algorithm := range schema.PublicKeySignatures() {
		for name, public := range keys {
			wantCode(t, string(algorithm)+" with "+name, signer.Fits(asKey(public), algorithm), schema.CodeAlgorithmNotFitting)
			wantCode(t, string(algorithm)+" with "+name, signer.Verify(public, algorithm, digestOf(algorithm, ""), nil), schema.CodeAlgorithmNotFitting)
		}
		for _, other := range schema.PublicKeySignatures() {
			err := signer.Fits(asKey(keyFor(t, other).public), algorithm)
			if same := algorithm.Curve() == other.Curve(); same != (err == nil) {
				t.Errorf("%s with the key of %s: %v", algorithm, other, err)
			}
		}
	}
	wantCode(t, "unknown algorithm", signer.Fits(asKey(rsaKey(t, 2048).public), "HS256"), schema.CodeAlgorithmNotFitting)
	wantCode(t, "unknown algorithm", signer.Verify(rsaKey(t, 2048).public, "", nil, nil), schema.CodeAlgorithmNotFitting)
}

// wantCode fails unless err is a signer.Error with the code.
func wantCode(t *testing.T, what string, err error, code schema.Code) {
	t.Helper()
	var e *signer.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("%s: %v, want code %s", what, err, code)
	}
}

func order(algorithm schema.Algorithm) *big.Int {
	switch algorithm {
	case schema.ES256:
		return elliptic.P256().Params().N
	case schema.ES384:
		return elliptic.P384().Params().N
	case schema.ES512:
		return elliptic.P521().Params().N
	}
	return secp256k1.Params().N
}

func BenchmarkVerify(b *testing.B) {
	for _, algorithm := range []schema.Algorithm{schema.RS256, schema.PS256, schema.ES256, schema.ES384, schema.ES512, schema.ES256K} {
		b.Run(string(algorithm), func(b *testing.B) {
			key, digest := keyFor(b, algorithm), digestOf(algorithm, "hello")
			sig := key.sign(algorithm, digest)
			for b.Loop() {
				if err := signer.Verify(key.public, algorithm, digest, sig); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
