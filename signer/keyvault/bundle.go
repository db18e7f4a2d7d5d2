package keyvault

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"math/big"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// readKey turns a vault's answer about id into a Key. The answer must name
// the key and the version that were asked for, and a version that is known
// must have the public half that it always had.
func (c *Client) readKey(id keyID, bundle azkeys.KeyBundle) (signer.Key, error) {
	jwk := bundle.Key
	if jwk == nil || jwk.KID == nil {
		return signer.Key{}, corrupt(id, "the answer holds no key")
	}
	got, err := c.gate.kid(string(*jwk.KID))
	if err != nil {
		return signer.Key{}, corrupt(id, "the answer's key identifier is malformed")
	}
	asked := id
	if asked.version == "" {
		asked.version = got.version
	}
	if !got.same(asked) {
		return signer.Key{}, corrupt(id, "the answer is about "+got.String())
	}
	public, err := publicKey(id, jwk)
	if err != nil {
		return signer.Key{}, err
	}
	if known := c.keys.known(asked); known.KID != "" && !equal(known.Public, public) {
		return signer.Key{}, corrupt(asked, "its public key has changed, which a version's never does")
	}
	key := signer.Key{KID: got.String(), Public: public, Symmetric: public == nil, HSM: strings.HasSuffix(string(value(jwk.Kty)), "-HSM"), Operations: operations(jwk), Enabled: true}
	if a := bundle.Attributes; a != nil {
		key.Enabled = a.Enabled == nil || *a.Enabled
		key.NotBefore, key.Expires = value(a.NotBefore), value(a.Expires)
	}
	return key, nil
}

// publicKey builds the public half from the JWK members (RFC 7518, section
// 6; RFC 8812 for P-256K, under the vault's name for the curve). A symmetric
// key has none.
func publicKey(id keyID, jwk *azkeys.JSONWebKey) (crypto.PublicKey, error) {
	var public crypto.PublicKey
	var err error
	switch kty, curve := strings.TrimSuffix(string(value(jwk.Kty)), "-HSM"), value(jwk.Crv); {
	case kty == "oct":
		return nil, nil
	case kty == "RSA":
		public, err = rsaKey(jwk.N, jwk.E)
	case kty == "EC" && curve == azkeys.CurveNameP256:
		public, err = ecKey(elliptic.P256(), jwk)
	case kty == "EC" && curve == azkeys.CurveNameP384:
		public, err = ecKey(elliptic.P384(), jwk)
	case kty == "EC" && curve == azkeys.CurveNameP521:
		public, err = ecKey(elliptic.P521(), jwk)
	case kty == "EC" && curve == azkeys.CurveNameP256K:
		public, err = k1Key(jwk)
	default:
		return nil, &signer.Error{
			Code:    schema.CodeAlgorithmNotFitting,
			Message: fmt.Sprintf("resolve %s: no algorithm here fits a key of type %s %s", id, clip(string(value(jwk.Kty)), 16), clip(string(curve), 16)),
		}
	}
	if err != nil {
		return nil, corrupt(id, err.Error())
	}
	return public, nil
}

// rsaKey bounds the modulus at 8,192 bits and the exponent at 32.
func rsaKey(n, e []byte) (*rsa.PublicKey, error) {
	n, e = bytes.TrimLeft(n, "\x00"), bytes.TrimLeft(e, "\x00")
	if len(n) < 2048/8 || len(n) > 8192/8 || len(e) == 0 || len(e) > 4 {
		return nil, fmt.Errorf("its RSA modulus of %d bytes or exponent of %d bytes is out of bounds", len(n), len(e))
	}
	exponent := new(big.Int).SetBytes(e).Int64()
	if exponent < 3 || exponent%2 == 0 || exponent >= 1<<31 {
		return nil, fmt.Errorf("its RSA exponent %d is not allowed", exponent)
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent)}, nil
}

func ecKey(curve elliptic.Curve, jwk *azkeys.JSONWebKey) (*ecdsa.PublicKey, error) {
	point, err := uncompressed((curve.Params().BitSize+7)/8, jwk)
	if err != nil {
		return nil, err
	}
	return ecdsa.ParseUncompressedPublicKey(curve, point)
}

func k1Key(jwk *azkeys.JSONWebKey) (*secp256k1.PublicKey, error) {
	point, err := uncompressed(32, jwk)
	if err != nil {
		return nil, err
	}
	return secp256k1.ParsePubKey(point)
}

// uncompressed writes x and y, each padded to the width of the curve, as an
// uncompressed point (SEC 1, section 2.3.3).
func uncompressed(width int, jwk *azkeys.JSONWebKey) ([]byte, error) {
	x, y := bytes.TrimLeft(jwk.X, "\x00"), bytes.TrimLeft(jwk.Y, "\x00")
	if len(x) > width || len(y) > width {
		return nil, fmt.Errorf("its point has coordinates of %d and %d bytes, and the curve %d", len(x), len(y), width)
	}
	point := make([]byte, 1+2*width)
	point[0] = 4
	copy(point[1+width-len(x):], x)
	copy(point[1+2*width-len(y):], y)
	return point, nil
}

// operations keeps the difference between no key_ops and an empty list.
func operations(jwk *azkeys.JSONWebKey) []string {
	if jwk.KeyOps == nil {
		return nil
	}
	ops := make([]string, 0, len(jwk.KeyOps))
	for _, op := range jwk.KeyOps {
		ops = append(ops, string(value(op)))
	}
	return ops
}

// equal compares public keys of any of the three types, or none.
func equal(a, b crypto.PublicKey) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case *rsa.PublicKey:
		return a.Equal(b)
	case *ecdsa.PublicKey:
		return a.Equal(b)
	case *secp256k1.PublicKey:
		other, ok := b.(*secp256k1.PublicKey)
		return ok && a.IsEqual(other)
	}
	return false
}

// corrupt is an answer that cannot be right.
func corrupt(id keyID, what string) *signer.Error {
	return &signer.Error{Code: schema.CodeIntegrity, Message: "resolve " + id.String() + ": " + what + "; check what answers in the vault's place"}
}

// value returns what p points to, or the zero value.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
