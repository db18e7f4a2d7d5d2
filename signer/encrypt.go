package signer

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"

	"github.com/signmill/signmill/schema"
)

// Encrypt encrypts plaintext for the holder of the private half of an RSA key,
// as the vault's encrypt and wrapKey do: one block, no label, RSA1_5, RSA-OAEP
// (SHA-1) or RSA-OAEP-256. It fails with CodeAlgorithmNotFitting for any other
// algorithm, for a key that does not suit it, and for more bytes than it takes:
//
//	key size   RSA1_5   RSA-OAEP   RSA-OAEP-256
//	2048       245      214        190
//	3072       373      342        318
//	4096       501      470        446
//
// It uses no vault and no quota. No error holds the plaintext.
func Encrypt(public crypto.PublicKey, algorithm schema.Algorithm, plaintext schema.Secret) ([]byte, error) {
	family := algorithm.Family()
	if family != schema.RSAES && family != schema.OAEP {
		return nil, refuse(schema.CodeAlgorithmNotFitting, "%q does not encrypt with a public key", string(algorithm))
	}
	if err := fits(public, algorithm); err != nil {
		return nil, err
	}
	if err := measure(public, schema.Encrypt, algorithm, Input{Size: len(plaintext)}); err != nil {
		return nil, err
	}
	key := public.(*rsa.PublicKey)
	var sealed []byte
	var err error
	if family == schema.RSAES {
		sealed, err = rsa.EncryptPKCS1v15(rand.Reader, key, plaintext)
	} else {
		sealed, err = rsa.EncryptOAEP(algorithm.Hash().New(), rand.Reader, key, plaintext, nil)
	}
	if err != nil {
		return nil, refuse(schema.CodeAlgorithmNotFitting, "%s with %s: %s", algorithm, describe(public), err)
	}
	return sealed, nil
}
