package main

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"math/big"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/signmill/signmill/signer/keyvault"
)

// publicJWK is a public key in the form of RFC 7517 and RFC 7518, section 6;
// RFC 8812 for secp256k1, which vaults call P-256K.
type publicJWK struct {
	KID string `json:"kid"`
	Kty string `json:"kty"`
	Crv string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
}

// newPublicJWK writes the public half, which must be there.
func newPublicJWK(k keyvault.KeyInfo) publicJWK {
	jwk := publicJWK{KID: k.KID}
	switch public := k.Public.(type) {
	case *rsa.PublicKey:
		jwk.Kty = "RSA"
		jwk.N, jwk.E = jose(public.N.Bytes()), jose(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		if point, err := public.Bytes(); err == nil { // a key of a vault is on its curve
			jwk.setPoint(public.Params().Name, point)
		}
	case *secp256k1.PublicKey:
		jwk.setPoint("secp256k1", public.SerializeUncompressed())
	}
	return jwk
}

// setPoint takes an uncompressed point (SEC 1, section 2.3.3).
func (j *publicJWK) setPoint(curve string, point []byte) {
	half := (len(point) - 1) / 2
	j.Kty, j.Crv = "EC", curve
	j.X, j.Y = jose(point[1:1+half]), jose(point[1+half:])
}

// jose writes bytes as JOSE does.
func jose(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
