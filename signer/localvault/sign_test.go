package localvault_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // for crypto.Hash
	_ "crypto/sha512" // for crypto.Hash
	"math/big"
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	koblitz "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/signmill/signmill/signer/localvault"
)

// check verifies a signature with the standard library and nothing else.
func check(t *testing.T, key *azkeys.JSONWebKey, alg string, digest, signature []byte) bool {
	t.Helper()
	hash := hashOf(alg)
	switch alg[:2] {
	case "RS":
		return rsa.VerifyPKCS1v15(rsaPublic(key), hash, digest, signature) == nil
	case "PS":
		options := &rsa.PSSOptions{SaltLength: hash.Size()}
		return rsa.VerifyPSS(rsaPublic(key), hash, digest, signature, options) == nil
	}
	if alg == "ES256K" {
		return checkKoblitz(t, key, digest, signature)
	}
	curve := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}[alg]
	public, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, key.X, key.Y))
	if err != nil {
		t.Fatal(err)
	}
	half := (curve.Params().BitSize + 7) / 8
	if len(signature) != 2*half {
		return false
	}
	return ecdsa.Verify(public, digest, new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]))
}

func checkKoblitz(t *testing.T, key *azkeys.JSONWebKey, digest, signature []byte) bool {
	t.Helper()
	public, err := secp256k1.ParsePubKey(slices.Concat([]byte{4}, key.X, key.Y))
	if err != nil {
		t.Fatal(err)
	}
	if len(signature) != 64 {
		return false
	}
	var r, s secp256k1.ModNScalar
	r.SetByteSlice(signature[:32])
	s.SetByteSlice(signature[32:])
	return koblitz.NewSignature(&r, &s).Verify(digest, public)
}

func rsaPublic(key *azkeys.JSONWebKey) *rsa.PublicKey {
	return &rsa.PublicKey{N: new(big.Int).SetBytes(key.N), E: int(new(big.Int).SetBytes(key.E).Int64())}
}

func hashOf(alg string) crypto.Hash {
	return map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:5]]
}

func randomDigest(alg string) []byte {
	digest := make([]byte, hashOf(alg).Size())
	rand.Read(digest) // never fails
	return digest
}

// everyKey is one key for each class; the algorithms that fit it.
var everyKey = []struct {
	spec localvault.KeySpec
	algs []string
}{
	{localvault.KeySpec{Name: "rsa2048", Type: "RSA"}, []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}},
	{localvault.KeySpec{Name: "rsa3072", Type: "RSA", Size: 3072}, []string{"RS256", "PS512"}},
	{localvault.KeySpec{Name: "rsa4096", Type: "RSA-HSM", Size: 4096}, []string{"RS384", "PS256"}},
	{localvault.KeySpec{Name: "p256", Type: "EC"}, []string{"ES256"}},
	{localvault.KeySpec{Name: "p384", Type: "EC", Curve: "P-384"}, []string{"ES384"}},
	{localvault.KeySpec{Name: "p521", Type: "EC-HSM", Curve: "P-521"}, []string{"ES512"}},
	{localvault.KeySpec{Name: "p256k", Type: "EC", Curve: "P-256K"}, []string{"ES256K"}},
}

func TestSignAndVerify(t *testing.T) {
	t.Parallel()
	var cfg localvault.Config
	for _, k := range everyKey {
		cfg.Keys = append(cfg.Keys, k.spec)
	}
	c := client(t, start(t, cfg))
	for _, k := range everyKey {
		for _, alg := range k.algs {
			t.Run(k.spec.Name+" "+alg, func(t *testing.T) { signAndVerify(t, c, k.spec.Name, alg) })
		}
	}
}

func signAndVerify(t *testing.T, c *azkeys.Client, name, alg string) {
	key, err := c.GetKey(t.Context(), name, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		digest := randomDigest(alg)
		signed, err := c.Sign(t.Context(), name, "", azkeys.SignParameters{Algorithm: new(azkeys.SignatureAlgorithm(alg)), Value: digest}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := *signed.KID, *key.Key.KID; got != want {
			t.Fatalf("kid %s, want %s", got, want)
		}
		if !check(t, key.Key, alg, digest, signed.Result) {
			t.Fatalf("signature %x of %x is wrong", signed.Result, digest)
		}
		verifyBothWays(t, c, key.Key.KID, alg, digest, signed.Result)
	}
}

// verifyBothWays asks the vault about the signature and about a spoilt one.
func verifyBothWays(t *testing.T, c *azkeys.Client, kid *azkeys.ID, alg string, digest, signature []byte) {
	t.Helper()
	for _, want := range []bool{true, false} {
		signature := bytes.Clone(signature)
		if !want {
			signature[len(signature)-1] ^= 1
		}
		got, err := c.Verify(t.Context(), kid.Name(), kid.Version(), azkeys.VerifyParameters{
			Algorithm: new(azkeys.SignatureAlgorithm(alg)), Digest: digest, Signature: signature}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if *got.Value != want {
			t.Errorf("vault says %v, want %v", *got.Value, want)
		}
	}
}
