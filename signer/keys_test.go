package signer_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"sync"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// softKey is a private key in memory that signs as a vault does, with code
// that shares nothing with the package under test.
type softKey struct {
	public crypto.PublicKey
	sign   func(algorithm schema.Algorithm, digest []byte) []byte // JOSE form
}

// rsaKeys makes one key of each size, once: they are slow to make.
var rsaKeys = sync.OnceValue(func() map[int]*rsa.PrivateKey {
	keys := map[int]*rsa.PrivateKey{}
	for _, bits := range []int{2048, 3072, 4096} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		keys[bits] = key
	}
	return keys
})

func rsaKey(t testing.TB, bits int) softKey {
	t.Helper()
	key := rsaKeys()[bits]
	return softKey{&key.PublicKey, func(algorithm schema.Algorithm, digest []byte) []byte {
		var opts crypto.SignerOpts = algorithm.Hash()
		if algorithm.Family() == schema.PSS {
			opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: algorithm.Hash()}
		}
		sig, err := key.Sign(rand.Reader, digest, opts)
		if err != nil {
			t.Error(err)
		}
		return sig
	}}
}

func ecKey(t testing.TB, curve elliptic.Curve) softKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	width := (curve.Params().BitSize + 7) / 8
	return softKey{&key.PublicKey, func(_ schema.Algorithm, digest []byte) []byte {
		r, s, err := ecdsa.Sign(rand.Reader, key, digest)
		if err != nil {
			t.Error(err)
		}
		return append(r.FillBytes(make([]byte, width)), s.FillBytes(make([]byte, width))...)
	}}
}

func k1Key(t testing.TB) softKey {
	t.Helper()
	key, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	return softKey{key.PubKey(), func(_ schema.Algorithm, digest []byte) []byte {
		sig := k1ecdsa.Sign(key, digest)
		r, s := sig.R(), sig.S()
		rb, sb := r.Bytes(), s.Bytes()
		return append(rb[:], sb[:]...)
	}}
}

// keyFor returns the smallest key that fits algorithm.
func keyFor(t testing.TB, algorithm schema.Algorithm) softKey {
	t.Helper()
	switch algorithm.Curve() {
	case "P-256":
		return ecKey(t, elliptic.P256())
	case "P-384":
		return ecKey(t, elliptic.P384())
	case "P-521":
		return ecKey(t, elliptic.P521())
	case "P-256K":
		return k1Key(t)
	}
	return rsaKey(t, 2048)
}

func digestOf(algorithm schema.Algorithm, text string) []byte {
	hash := algorithm.Hash().New()
	hash.Write([]byte(text))
	return hash.Sum(nil)
}

func asKey(public crypto.PublicKey) signer.Key {
	return signer.Key{KID: "https://example.vault.azure.net/keys/invoices/0123456789abcdef0123456789abcdef", Public: public, Enabled: true}
}
