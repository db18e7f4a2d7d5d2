package localvault_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/signmill/signmill/signer/localvault"
)

// rsaKeys makes one key of a size, once: they are slow to make.
var rsaKeys = map[int]func() (*rsa.PrivateKey, error){2048: rsaKey(2048), 3072: rsaKey(3072), 4096: rsaKey(4096)}

func rsaKey(bits int) func() (*rsa.PrivateKey, error) {
	return sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, bits) })
}

// rsaJWK returns a copy of the key of that size.
func rsaJWK(t *testing.T, bits int) *azkeys.JSONWebKey {
	t.Helper()
	key, err := rsaKeys[bits]()
	if err != nil {
		t.Fatal(err)
	}
	return &azkeys.JSONWebKey{
		Kty: new(azkeys.KeyTypeRSA), N: key.N.Bytes(), E: big.NewInt(int64(key.E)).Bytes(),
		D: key.D.Bytes(), P: key.Primes[0].Bytes(), Q: key.Primes[1].Bytes(),
		DP: key.Precomputed.Dp.Bytes(), DQ: key.Precomputed.Dq.Bytes(), QI: key.Precomputed.Qinv.Bytes(),
	}
}

func ecJWK(t *testing.T, curve elliptic.Curve, name azkeys.CurveName) *azkeys.JSONWebKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return &azkeys.JSONWebKey{Kty: new(azkeys.KeyTypeEC), Crv: &name, D: d, X: point[1 : 1+len(d)], Y: point[1+len(d):]}
}

func koblitzJWK(t *testing.T) *azkeys.JSONWebKey {
	t.Helper()
	key, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	point := key.PubKey().SerializeUncompressed()
	return &azkeys.JSONWebKey{Kty: new(azkeys.KeyTypeEC), Crv: new(azkeys.CurveNameP256K), D: key.Serialize(), X: point[1:33], Y: point[33:]}
}

func TestImport(t *testing.T) {
	t.Parallel()
	c := client(t, start(t, localvault.Config{}))
	cases := []struct {
		name string
		key  *azkeys.JSONWebKey
		alg  string
	}{
		{"rsa", rsaJWK(t, 2048), "PS384"},
		{"p256", ecJWK(t, elliptic.P256(), "P-256"), "ES256"},
		{"p384", ecJWK(t, elliptic.P384(), "P-384"), "ES384"},
		{"p521", ecJWK(t, elliptic.P521(), "P-521"), "ES512"},
		{"p256k", koblitzJWK(t), "ES256K"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			made, err := c.ImportKey(t.Context(), tc.name, azkeys.ImportKeyParameters{Key: tc.key, HSM: new(tc.name == "p384")}, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := made.Key
			if string(got.N) != string(tc.key.N) || string(got.X) != string(tc.key.X) || string(got.Y) != string(tc.key.Y) {
				t.Error("the public part changed")
			}
			if got.D != nil || got.P != nil || got.Q != nil || got.DP != nil || got.DQ != nil || got.QI != nil || got.K != nil {
				t.Error("the answer has private members")
			}
			if isHSM := *got.Kty == azkeys.KeyTypeECHSM; isHSM != (tc.name == "p384") {
				t.Errorf("kty %s", *got.Kty)
			}
			signAndVerify(t, c, tc.name, tc.alg)
		})
	}
}

func TestImportRefuses(t *testing.T) {
	t.Parallel()
	c := client(t, start(t, localvault.Config{}))
	cases := []struct {
		name  string
		key   *azkeys.JSONWebKey
		spoil func(*azkeys.JSONWebKey)
	}{
		{"unknown curve", ecJWK(t, elliptic.P256(), "P-256"), func(k *azkeys.JSONWebKey) { k.Crv = new(azkeys.CurveName("P-224")) }},
		{"other point", ecJWK(t, elliptic.P256(), "P-256"), func(k *azkeys.JSONWebKey) { k.X[3] ^= 1 }},
		{"no point", ecJWK(t, elliptic.P256(), "P-256"), func(k *azkeys.JSONWebKey) { k.X, k.Y = nil, nil }},
		{"short scalar", ecJWK(t, elliptic.P521(), "P-521"), func(k *azkeys.JSONWebKey) { k.D = k.D[:65] }},
		{"long scalar", ecJWK(t, elliptic.P256(), "P-256"), func(k *azkeys.JSONWebKey) { k.D = append([]byte{1}, k.D...) }},
		{"long point", ecJWK(t, elliptic.P256(), "P-256"), func(k *azkeys.JSONWebKey) { k.X = append([]byte{1}, k.X...) }},
		{"zero scalar", koblitzJWK(t), func(k *azkeys.JSONWebKey) { clear(k.D); clear(k.X); clear(k.Y) }},
		{"scalar above the order", koblitzJWK(t), func(k *azkeys.JSONWebKey) {
			curve := secp256k1.Params() // order + 1 is 1, whose point is the generator
			k.D = new(big.Int).Add(curve.N, big.NewInt(1)).Bytes()
			k.X, k.Y = curve.Gx.FillBytes(make([]byte, 32)), curve.Gy.FillBytes(make([]byte, 32))
		}},
		{"public key only", rsaJWK(t, 2048), func(k *azkeys.JSONWebKey) { k.D, k.P, k.Q = nil, nil, nil }},
		{"other prime", rsaJWK(t, 2048), func(k *azkeys.JSONWebKey) { k.P[len(k.P)-1] ^= 2 }},
		{"prime zero", rsaJWK(t, 2048), func(k *azkeys.JSONWebKey) { clear(k.P) }},
		{"prime one", rsaJWK(t, 2048), func(k *azkeys.JSONWebKey) { k.P, k.Q = k.N, []byte{1} }},
		{"prime two", rsaJWK(t, 2048), func(k *azkeys.JSONWebKey) { k.P = []byte{2} }},
		{"long prime", rsaJWK(t, 2048), func(k *azkeys.JSONWebKey) { k.P = make([]byte, 257) }},
		{"other private exponent", rsaJWK(t, 2048), func(k *azkeys.JSONWebKey) { k.D[len(k.D)-1] ^= 2 }},
		{"even exponent", rsaJWK(t, 2048), func(k *azkeys.JSONWebKey) { k.E = []byte{2} }},
		{"huge exponent", rsaJWK(t, 2048), func(k *azkeys.JSONWebKey) { k.E = []byte{1, 0, 0, 0, 0, 0, 1, 0, 1} }},
		{"odd size", rsaJWK(t, 2048), func(k *azkeys.JSONWebKey) { k.N = k.N[1:] }},
		{"transfer blob", rsaJWK(t, 2048), func(k *azkeys.JSONWebKey) { k.T = []byte{1} }},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			tc.spoil(tc.key)
			_, err := c.ImportKey(t.Context(), "k", azkeys.ImportKeyParameters{Key: tc.key}, nil)
			wantRefusal(t, err, 400, "BadParameter", "")
		})
	}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Some clients send an empty list when the caller named no operations.
func TestImportWithAnEmptyListOfOperations(t *testing.T) {
	t.Parallel()
	c := client(t, start(t, localvault.Config{}))
	key := ecJWK(t, elliptic.P256(), azkeys.CurveNameP256)
	key.KeyOps = []*azkeys.KeyOperation{}
	made, err := c.ImportKey(t.Context(), "k", azkeys.ImportKeyParameters{Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(made.Key.KeyOps) != 2 {
		t.Errorf("operations %v, want sign and verify", made.Key.KeyOps)
	}
	signAndVerify(t, c, "k", "ES256")
}

// Clients that hold numbers, not octets, send them with a zero in front or
// without the zeros of their own: that changes nothing.
func TestImportWithOtherWidths(t *testing.T) {
	t.Parallel()
	c := client(t, start(t, localvault.Config{}))
	for name, make := range map[string]func() *azkeys.JSONWebKey{
		"p256":  func() *azkeys.JSONWebKey { return ecJWK(t, elliptic.P256(), azkeys.CurveNameP256) },
		"p521":  func() *azkeys.JSONWebKey { return ecJWK(t, elliptic.P521(), azkeys.CurveNameP521) },
		"p256k": func() *azkeys.JSONWebKey { return koblitzJWK(t) },
	} {
		wide, narrow := make(), make()
		for narrow.X[0] != 0 { // of P-521 half of them; else one in 256
			narrow = make()
		}
		full := narrow.X
		for _, part := range []*[]byte{&wide.X, &wide.Y, &wide.D} {
			*part = append([]byte{0}, *part...)
		}
		for _, part := range []*[]byte{&narrow.X, &narrow.Y, &narrow.D} {
			*part = bytes.TrimLeft(*part, "\x00")
		}
		for _, key := range []*azkeys.JSONWebKey{wide, narrow} {
			made, err := c.ImportKey(t.Context(), name, azkeys.ImportKeyParameters{Key: key}, nil)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if len(made.Key.X) != len(full) || len(made.Key.Y) != len(full) {
				t.Errorf("%s: x of %d bytes, y of %d", name, len(made.Key.X), len(made.Key.Y))
			}
		}
	}
}
