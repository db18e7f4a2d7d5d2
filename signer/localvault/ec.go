package localvault

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"math/big"
)

// ecKey is a key on a NIST curve.
type ecKey struct {
	pair  *ecdsa.PrivateKey
	curve string // P-256, P-384 or P-521
}

// nistCurve returns the curve of that name, or nil.
func nistCurve(name string) elliptic.Curve {
	switch name {
	case "P-256":
		return elliptic.P256()
	case "P-384":
		return elliptic.P384()
	case "P-521":
		return elliptic.P521()
	}
	return nil
}

// width returns the bytes of a coordinate or scalar.
func (k ecKey) width() int { return (k.pair.Curve.Params().BitSize + 7) / 8 }

func (k ecKey) public() jwk {
	point, err := k.pair.PublicKey.Bytes() // 4 || x || y
	if err != nil {                        // the point was checked when the key was made
		return jwk{}
	}
	w := k.width()
	return jwk{Kty: "EC", Crv: k.curve, X: point[1 : 1+w], Y: point[1+w:]}
}

func (k ecKey) private() privateJWK {
	d, err := k.pair.Bytes()
	if err != nil { // the scalar was checked when the key was made
		return privateJWK{}
	}
	return privateJWK{jwk: k.public(), D: d}
}

func (k ecKey) class() class { return class{kty: "EC", curve: k.curve} }

// sign returns r and s, each as wide as the curve (RFC 7518 section 3.4).
func (k ecKey) sign(_ algorithm, digest []byte) ([]byte, error) {
	r, s, err := ecdsa.Sign(rand.Reader, k.pair, digest)
	if err != nil {
		return nil, err
	}
	w := k.width()
	signature := make([]byte, 2*w)
	r.FillBytes(signature[:w])
	s.FillBytes(signature[w:])
	return signature, nil
}

func (k ecKey) verify(_ algorithm, digest, signature []byte) bool {
	w := k.width()
	if len(signature) != 2*w {
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:w]), new(big.Int).SetBytes(signature[w:])
	return ecdsa.Verify(&k.pair.PublicKey, digest, r, s)
}

func generateEC(curve string) (material, error) {
	if curve == "" {
		curve = "P-256"
	}
	if curve == "P-256K" {
		return generateKoblitz()
	}
	c := nistCurve(curve)
	if c == nil {
		return nil, badParameter("crv", fmt.Sprintf("curve %q is not supported", curve))
	}
	private, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate EC key on %s: %w", curve, err)
	}
	return ecKey{private, curve}, nil
}

// parseEC imports a key from d; x and y must belong to it. Zeros in front make
// no difference: not all clients send the width of the curve.
func parseEC(j privateJWK) (material, error) {
	key, err := parseScalar(j.Crv, j.D)
	if err != nil {
		return nil, err
	}
	public := key.public()
	w := len(public.X)
	if !bytes.Equal(padded(j.X, w), public.X) || !bytes.Equal(padded(j.Y, w), public.Y) {
		return nil, badParameter("key", "x and y do not belong to d")
	}
	return key, nil
}

// parseScalar makes a key from its private number.
func parseScalar(curve string, d []byte) (material, error) {
	if curve == "P-256K" {
		return parseKoblitz(padded(d, koblitzWidth))
	}
	c := nistCurve(curve)
	if c == nil {
		return nil, badParameter("crv", fmt.Sprintf("curve %q is not supported", curve))
	}
	private, err := ecdsa.ParseRawPrivateKey(c, padded(d, (c.Params().BitSize+7)/8))
	if err != nil {
		return nil, badParameter("d", err.Error())
	}
	return ecKey{private, curve}, nil
}

// padded returns a number in w bytes, nil if it takes more.
func padded(number []byte, w int) []byte {
	number = bytes.TrimLeft(number, "\x00")
	if len(number) > w {
		return nil
	}
	return append(make([]byte, w-len(number), w), number...)
}
