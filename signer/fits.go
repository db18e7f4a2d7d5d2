package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"slices"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/signmill/signmill/schema"
)

// Sizes of RSA keys in bits. Key Vault makes keys of 2,048, 3,072 and 4,096
// bits; a larger modulus costs more to check than it is worth.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// Leeway is how far outside its dates a key may still be tried. The vault's
// clock decides, and it forgives a few minutes itself.
const Leeway = 5 * time.Minute

// Check reports whether the vault would sign digest with key at the given
// time, as far as that can be told here, so that a hopeless call costs no
// quota. In this order it fails with CodeAlgorithmNotFitting when the key or
// the digest's length does not suit the algorithm, and with CodeKeyUnusable
// when key_ops lacks sign, the key is disabled, or at lies outside the key's
// dates by more than [Leeway].
func Check(key Key, algorithm schema.Algorithm, digest []byte, at time.Time) error {
	if err := Fits(key, algorithm); err != nil {
		return err
	}
	if want := algorithm.Hash().Size(); len(digest) != want {
		return refuse(schema.CodeAlgorithmNotFitting, "%s signs a digest of %d bytes, and this one has %d", algorithm, want, len(digest))
	}
	return usable(key, at)
}

// usable checks the attributes that people may change.
func usable(key Key, at time.Time) error {
	switch {
	case key.Operations != nil && !slices.Contains(key.Operations, "sign"):
		return refuse(schema.CodeKeyUnusable, "key_ops of %s lacks sign; allow it with: az keyvault key set-attributes --id %s --ops sign verify", key.KID, key.KID)
	case !key.Enabled:
		return refuse(schema.CodeKeyUnusable, "%s is disabled; enable it with: az keyvault key set-attributes --id %s --enabled true", key.KID, key.KID)
	case !key.NotBefore.IsZero() && at.Before(key.NotBefore.Add(-Leeway)):
		return refuse(schema.CodeKeyUnusable, "%s is not valid before %s", key.KID, key.NotBefore.UTC().Format(time.RFC3339))
	case !key.Expires.IsZero() && at.After(key.Expires.Add(Leeway)):
		return refuse(schema.CodeKeyUnusable, "%s expired at %s; make a new version with: az keyvault key rotate --id %s", key.KID, key.Expires.UTC().Format(time.RFC3339), key.KID)
	}
	return nil
}

// Fits reports whether key's type, size or curve suits algorithm. Otherwise
// it fails with CodeAlgorithmNotFitting and says what the key is.
func Fits(key Key, algorithm schema.Algorithm) error {
	if err := fits(key.Public, algorithm); err != nil {
		return refuse(schema.CodeAlgorithmNotFitting, "%s: %s", key.KID, err)
	}
	return nil
}

// fits is Fits for a bare public key.
func fits(public crypto.PublicKey, algorithm schema.Algorithm) error {
	switch algorithm.Family() {
	case schema.PKCS1, schema.PSS:
		return fitsRSA(public, algorithm)
	case schema.ECDSA:
		if curve := curveOf(public); curve != algorithm.Curve() {
			return refuse(schema.CodeAlgorithmNotFitting, "%s needs an EC key on %s, and this is %s", algorithm, algorithm.Curve(), describe(public))
		}
		return nil
	}
	return refuse(schema.CodeAlgorithmNotFitting, "%q is not a signature algorithm", string(algorithm))
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
	return fmt.Sprintf("a %T", public)
}

// refuse is a failure of a check that was made here.
func refuse(code schema.Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
