package signer

import (
	"bytes"
	"crypto/elliptic"
	"encoding/asn1"
	"fmt"
	"math/big"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/signmill/signmill/schema"
)

// ecdsaSignature is the ASN.1 form of RFC 3279, section 2.2.3.
type ecdsaSignature struct{ R, S *big.Int }

// DER turns a signature from JOSE form (RFC 7518, section 3.4: r || s, each
// as wide as the curve) into the ASN.1 form that OpenSSL and X.509 use (RFC
// 3279, section 2.2.3). A signature of RSA or HMAC has one form and is returned
// as it is. It fails on an unknown algorithm, on a wrong length, and when r or s is
// outside 1 to n-1, where n is the order of the curve.
func DER(algorithm schema.Algorithm, jose []byte) ([]byte, error) {
	if !schema.Sign.Takes(algorithm) {
		return nil, refuse(schema.CodeAlgorithmNotFitting, "%q is not a signature algorithm", string(algorithm))
	}
	if algorithm.Family() != schema.ECDSA {
		return jose, nil
	}
	order := orderOf(algorithm)
	width := (order.BitLen() + 7) / 8
	if len(jose) != 2*width {
		return nil, fmt.Errorf("r || s of %s has %d bytes, and this one has %d", algorithm, 2*width, len(jose))
	}
	sig := ecdsaSignature{R: new(big.Int).SetBytes(jose[:width]), S: new(big.Int).SetBytes(jose[width:])}
	if !sig.inRange(order) {
		return nil, fmt.Errorf("r or s is outside the order of the curve of %s", algorithm)
	}
	return asn1.Marshal(sig)
}

// JOSE is the way back from [DER]. It takes strict DER only: no other
// encoding of the same numbers, and no byte after them.
func JOSE(algorithm schema.Algorithm, der []byte) ([]byte, error) {
	if !schema.Sign.Takes(algorithm) {
		return nil, refuse(schema.CodeAlgorithmNotFitting, "%q is not a signature algorithm", string(algorithm))
	}
	if algorithm.Family() != schema.ECDSA {
		return der, nil
	}
	order := orderOf(algorithm)
	var sig ecdsaSignature
	if _, err := asn1.Unmarshal(der, &sig); err != nil || !sig.inRange(order) {
		return nil, fmt.Errorf("not an ASN.1 signature of %s", algorithm)
	}
	// The decoder skips what follows s; the encoder does not write it.
	if strict, err := asn1.Marshal(sig); err != nil || !bytes.Equal(strict, der) {
		return nil, fmt.Errorf("not a strict DER signature of %s", algorithm)
	}
	width := (order.BitLen() + 7) / 8
	jose := make([]byte, 2*width)
	sig.R.FillBytes(jose[:width])
	sig.S.FillBytes(jose[width:])
	return jose, nil
}

func (sig ecdsaSignature) inRange(order *big.Int) bool {
	return sig.R.Sign() > 0 && sig.R.Cmp(order) < 0 && sig.S.Sign() > 0 && sig.S.Cmp(order) < 0
}

// orderOf returns the order of the curve of an ECDSA algorithm.
func orderOf(algorithm schema.Algorithm) *big.Int {
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
