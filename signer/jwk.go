package signer

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// jwk holds the members of a public key (RFC 7517, section 4; RFC 7518,
// sections 6.2.1 and 6.3.1), in the order in which they are written.
type jwk struct {
	KID string `json:"kid,omitempty"`
	Kty string `json:"kty"`
	Crv string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
}

// MarshalJWK writes the public half of key as a JSON Web Key (RFC 7517) with
// its kid. The coordinates of an EC key are as wide as the curve; the curve
// that vaults call P-256K has its registered name, secp256k1 (RFC 8812). It
// fails for a symmetric key, and for types that [Key].Public may not hold.
func MarshalJWK(key Key) ([]byte, error) {
	out := jwk{KID: key.KID}
	switch public := key.Public.(type) {
	case *rsa.PublicKey:
		exponent := binary.BigEndian.AppendUint64(nil, uint64(public.E))
		out.Kty, out.N, out.E = "RSA", encode(public.N.Bytes()), encode(bytes.TrimLeft(exponent, "\x00"))
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		if err != nil || curveOf(public) == "" {
			return nil, fmt.Errorf("write public key: %s has no JWK here", describe(public))
		}
		out.setPoint(curveOf(public), point)
	case *secp256k1.PublicKey:
		out.setPoint("secp256k1", public.SerializeUncompressed())
	default:
		return nil, fmt.Errorf("write public key: %s has no JWK here", describe(key.Public))
	}
	return json.Marshal(out)
}

// setPoint takes an uncompressed point apart (SEC 1, section 2.3.3).
func (j *jwk) setPoint(curve string, point []byte) {
	half := len(point) / 2
	j.Kty, j.Crv, j.X, j.Y = "EC", curve, encode(point[1:1+half]), encode(point[1+half:])
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
