package keyvault

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

func newClient(t testing.TB, change func(*Config)) *Client {
	t.Helper()
	config := Config{Local: true}
	change(&config)
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func point[T any](v T) *T { return &v }

const someKID = "https://example.vault.azure.net/keys/invoices/0123456789abcdef0123456789abcdef"

func someID(t testing.TB) keyID {
	t.Helper()
	id, err := gate{}.kid(someKID)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// bundle returns a P-256 bundle as a vault sends it.
func bundle() azkeys.KeyBundle {
	curve := elliptic.P256().Params()
	return azkeys.KeyBundle{Key: &azkeys.JSONWebKey{
		KID: point(azkeys.ID(someKID)), Kty: point(azkeys.KeyTypeEC), Crv: point(azkeys.CurveNameP256),
		X: curve.Gx.Bytes(), Y: curve.Gy.Bytes(),
	}}
}

func TestReadKey(t *testing.T) {
	t.Parallel()
	start, end := time.Unix(1, 0), time.Unix(2, 0)
	full := bundle()
	full.Key.Kty = point(azkeys.KeyTypeECHSM)
	full.Key.KeyOps = []*azkeys.KeyOperation{point(azkeys.KeyOperationSign), nil}
	full.Attributes = &azkeys.KeyAttributes{Enabled: point(false), NotBefore: &start, Expires: &end}
	key, err := newClient(t, func(*Config) {}).readKey(someID(t), full)
	if err != nil {
		t.Fatal(err)
	}
	if key.KID != someKID || !key.HSM || key.Enabled || !key.NotBefore.Equal(start) || !key.Expires.Equal(end) || len(key.Operations) != 2 {
		t.Errorf("readKey = %+v", key)
	}
	bare, err := newClient(t, func(*Config) {}).readKey(someID(t), bundle())
	if err != nil || bare.HSM || !bare.Enabled || !bare.NotBefore.IsZero() || !bare.Expires.IsZero() || bare.Operations != nil {
		t.Errorf("readKey = %+v, %v", bare, err)
	}
}

func TestReadSymmetricKey(t *testing.T) {
	t.Parallel()
	b := azkeys.KeyBundle{Key: &azkeys.JSONWebKey{KID: point(azkeys.ID(someKID)), Kty: point(azkeys.KeyTypeOctHSM)}}
	key, err := newClient(t, func(*Config) {}).readKey(someID(t), b)
	if err != nil || !key.Symmetric || !key.HSM || key.Public != nil {
		t.Errorf("readKey = %+v, %v", key, err)
	}
}

func TestReadKeyRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(jwk *azkeys.JSONWebKey)
		want   schema.Code
	}{
		{"no identifier", func(jwk *azkeys.JSONWebKey) { jwk.KID = nil }, schema.CodeIntegrity},
		{"an identifier of nothing", func(jwk *azkeys.JSONWebKey) { jwk.KID = point(azkeys.ID("key")) }, schema.CodeIntegrity},
		{"another vault", func(jwk *azkeys.JSONWebKey) { jwk.KID = point(azkeys.ID("https://f" + someKID[9:])) }, schema.CodeIntegrity},
		{"another version", func(jwk *azkeys.JSONWebKey) { jwk.KID = point(azkeys.ID(someKID[:len(someKID)-1] + "0")) }, schema.CodeIntegrity},
		{"off the curve", func(jwk *azkeys.JSONWebKey) { jwk.Y = jwk.X }, schema.CodeIntegrity},
		{"the point at infinity", func(jwk *azkeys.JSONWebKey) { jwk.X, jwk.Y = nil, nil }, schema.CodeIntegrity},
		{"a wide x", func(jwk *azkeys.JSONWebKey) { jwk.X = append(jwk.X, make([]byte, 99)...) }, schema.CodeIntegrity},
		{"x of another curve", func(jwk *azkeys.JSONWebKey) { jwk.Crv = point(azkeys.CurveNameP256K) }, schema.CodeIntegrity},
		{"no curve", func(jwk *azkeys.JSONWebKey) { jwk.Crv = nil }, schema.CodeAlgorithmNotFitting},
		{"the old name of secp256k1", func(jwk *azkeys.JSONWebKey) { jwk.Crv = point(azkeys.CurveName("SECP256K1")) }, schema.CodeAlgorithmNotFitting},
		{"no type", func(jwk *azkeys.JSONWebKey) { jwk.Kty = nil }, schema.CodeAlgorithmNotFitting},
		{"RSA without members", func(jwk *azkeys.JSONWebKey) { jwk.Kty = point(azkeys.KeyTypeRSA) }, schema.CodeIntegrity},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := bundle()
			test.change(b.Key)
			key, err := newClient(t, func(*Config) {}).readKey(someID(t), b)
			var e *signer.Error
			if !errors.As(err, &e) || e.Code != test.want || key.Public != nil {
				t.Errorf("readKey = %+v, %v; want code %s", key, err, test.want)
			}
		})
	}
	if _, err := newClient(t, func(*Config) {}).readKey(someID(t), azkeys.KeyBundle{}); err == nil {
		t.Error("readKey took an empty bundle")
	}
}

func TestRSAKeyIsBounded(t *testing.T) {
	t.Parallel()
	n := func(bytes_ int) []byte { return bytes.Repeat([]byte{0xc5}, bytes_) }
	tests := []struct {
		name string
		n, e []byte
		ok   bool
	}{
		{"2048", n(256), []byte{1, 0, 1}, true},
		{"4096", n(512), []byte{1, 0, 1}, true},
		{"a zero in front", append([]byte{0}, n(256)...), []byte{0, 1, 0, 1}, true},
		{"1024", n(128), []byte{1, 0, 1}, false},
		{"beyond 8192", n(1025), []byte{1, 0, 1}, false},
		{"no exponent", n(256), nil, false},
		{"exponent 1", n(256), []byte{1}, false},
		{"even exponent", n(256), []byte{1, 0, 0}, false},
		{"exponent of 32 bits", n(256), []byte{0x80, 0, 0, 1}, false},
		{"exponent of 40 bits", n(256), []byte{1, 0, 0, 0, 1}, false},
	}
	for _, test := range tests {
		if _, err := rsaKey(test.n, test.e); (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestPointsAreReadAtAnyWidth drops the zeros in front of x and y, as servers
// do, on keys that have some.
func TestPointsAreReadAtAnyWidth(t *testing.T) {
	t.Parallel()
	for short := 0; short < 3; {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		full, err := key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		x, y := new(big.Int).SetBytes(full[1:33]).Bytes(), new(big.Int).SetBytes(full[33:]).Bytes()
		if len(x)+len(y) < 64 {
			short++
		}
		got, err := ecKey(elliptic.P256(), &azkeys.JSONWebKey{X: x, Y: y})
		if err != nil || !got.Equal(&key.PublicKey) {
			t.Fatalf("ecKey of %x, %x = %v, %v", x, y, got, err)
		}
	}
	private, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	full := private.PubKey().SerializeUncompressed()
	got, err := k1Key(&azkeys.JSONWebKey{X: full[1:33], Y: full[33:]})
	if err != nil || !equal(got, private.PubKey()) {
		t.Errorf("k1Key = %v, %v", got, err)
	}
}
