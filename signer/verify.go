package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/signmill/signmill/schema"
)

// ErrNotVerified says that a signature does not belong to the digest, the
// algorithm and the public key that it was checked with.
var ErrNotVerified = errors.New("the signature does not verify")

// Verify checks a signature in JOSE form (RFC 7518, section 3) over digest.
// RSASSA-PSS takes only a salt as long as the hash; ECDSA takes S in either
// half of its range, as Key Vault makes both.
//
// It returns an error that wraps [ErrNotVerified] when the signature is
// wrong, and an [*Error] with CodeAlgorithmNotFitting when public or the
// digest's length does not suit the algorithm. HMAC is always refused: its key
// is in the vault, which must be asked. It uses no vault and no quota.
func Verify(public crypto.PublicKey, algorithm schema.Algorithm, digest, signature []byte) error {
	if !schema.Verify.Takes(algorithm) {
		return refuse(schema.CodeAlgorithmNotFitting, "%q is not a signature algorithm", string(algorithm))
	}
	if algorithm.Family() == schema.HMAC {
		return refuse(schema.CodeAlgorithmNotFitting, "%s cannot be verified here: its key is in the vault, which must be asked", algorithm)
	}
	if err := fits(public, algorithm); err != nil {
		return err
	}
	hash := algorithm.Hash()
	if len(digest) != hash.Size() {
		return refuse(schema.CodeAlgorithmNotFitting, "%s signs a digest of %d bytes, and this one has %d", algorithm, hash.Size(), len(digest))
	}
	var err error
	switch algorithm.Family() {
	case schema.PKCS1:
		err = rsa.VerifyPKCS1v15(public.(*rsa.PublicKey), hash, digest, signature)
	case schema.PSS:
		err = rsa.VerifyPSS(public.(*rsa.PublicKey), hash, digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	default:
		err = verifyECDSA(public, algorithm, digest, signature)
	}
	if err != nil {
		return fmt.Errorf("%w as %s with %s: %w", ErrNotVerified, algorithm, describe(public), err)
	}
	return nil
}

func verifyECDSA(public crypto.PublicKey, algorithm schema.Algorithm, digest, signature []byte) error {
	der, err := DER(algorithm, signature)
	if err != nil {
		return err
	}
	valid := false
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		valid = ecdsa.VerifyASN1(key, digest, der)
	case *secp256k1.PublicKey:
		valid = verifyK1(key, digest, signature)
	}
	if !valid {
		return errors.New("r and s do not belong to the digest")
	}
	return nil
}

// verifyK1 checks a signature whose r and s DER has found to be in range.
func verifyK1(key *secp256k1.PublicKey, digest, signature []byte) bool {
	var r, s secp256k1.ModNScalar
	r.SetByteSlice(signature[:32])
	s.SetByteSlice(signature[32:])
	return k1ecdsa.NewSignature(&r, &s).Verify(digest, key)
}
