package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/signmill/signmill/schema"
)

// Sizes of RSA keys in bits. Key Vault makes keys of 2,048, 3,072 and 4,096
// bits; a larger modulus costs more to check than it is worth.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// Fits reports whether key's type, size or curve suits algorithm. Otherwise
// it fails with CodeAlgorithmNotFitting and says what the key is. The size of
// a symmetric key is not known here, and left to the vault.
func Fits(key Key, algorithm schema.Algorithm) error {
	if key.Symmetric && algorithm.Symmetric() {
		return nil
	}
	err := fits(key.Public, algorithm)
	if key.Symmetric && algorithm.Known() {
		err = fmt.Errorf("%s needs a key with a public half, and this is a symmetric key", algorithm)
	}
	if err != nil {
		return refuse(schema.CodeAlgorithmNotFitting, "%s: %s", key.KID, err)
	}
	return nil
}

// fits is Fits for a bare public key.
func fits(public crypto.PublicKey, algorithm schema.Algorithm) error {
	switch algorithm.Family() {
	case schema.PKCS1, schema.PSS, schema.RSAES, schema.OAEP:
		return fitsRSA(public, algorithm)
	case schema.ECDSA:
		if curve := curveOf(public); curve != algorithm.Curve() {
			return refuse(schema.CodeAlgorithmNotFitting, "%s needs an EC key on %s, and this is %s", algorithm, algorithm.Curve(), describe(public))
		}
		return nil
	case 0:
		return refuse(schema.CodeAlgorithmNotFitting, "%q is not an algorithm", string(algorithm))
	}
	return refuse(schema.CodeAlgorithmNotFitting, "%s needs a symmetric key, which only the vault holds, and this is %s", algorithm, describe(public))
}

func fitsRSA(public crypto.PublicKey, algorithm schema.Algorithm) error {
	key, ok := public.(*rsa.PublicKey)
	if !ok || key == nil || key.N == nil || key.N.BitLen() < minRSABits || key.N.BitLen() > maxRSABits {
		return refuse(schema.CodeAlgorithmNotFitting, "%s needs an RSA key of %d to %d bits, and this is %s", algorithm, minRSABits, maxRSABits, describe(public))
	}
	return nil
}

// curveOf returns the JWK name of public's curve, or "" when it is no usable
// EC key.
func curveOf(public crypto.PublicKey) string {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		if key == nil {
			return ""
		}
		switch key.Curve {
		case elliptic.P256():
			return "P-256"
		case elliptic.P384():
			return "P-384"
		case elliptic.P521():
			return "P-521"
		}
	case *secp256k1.PublicKey:
		if key != nil {
			return "P-256K"
		}
	}
	return ""
}

// describe names the kind of a public key for people.
func describe(public crypto.PublicKey) string {
	if key, ok := public.(*rsa.PublicKey); ok && key != nil && key.N != nil {
		return fmt.Sprintf("an RSA key of %d bits", key.N.BitLen())
	}
	if curve := curveOf(public); curve != "" {
		return "an EC key on " + curve
	}
	if public == nil {
		return "no public key"
	}
	return fmt.Sprintf("a %T", public)
}
