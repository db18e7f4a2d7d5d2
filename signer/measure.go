package signer

import (
	"crypto"
	"crypto/rsa"
	"fmt"

	"github.com/signmill/signmill/schema"
)

// Sizes in bytes of AES, of its GCM mode (NIST SP 800-38D, as Key Vault fixes
// them), and of AES key wrap (RFC 3394, section 2).
const (
	aesBlock = 16
	gcmIV    = 12
	gcmTag   = 16
	kwBlock  = 8
)

// measure checks the lengths of an input against an algorithm that fits.
func measure(public crypto.PublicKey, operation schema.Operation, algorithm schema.Algorithm, in Input) error {
	var fault string
	switch family := algorithm.Family(); {
	case family == schema.PKCS1 || family == schema.PSS || family == schema.ECDSA || family == schema.HMAC:
		return measureDigest(algorithm, in.Size)
	case in.Size == 0:
		fault = fmt.Sprintf("%s takes one byte or more for %s, and there is none; no request can carry an empty value", algorithm, operation)
	case family == schema.RSAES || family == schema.OAEP:
		fault = measureRSA(public.(*rsa.PublicKey), operation, algorithm, in.Size)
	case family == schema.AESGCM || family == schema.AESCBC:
		fault = measureAES(operation, algorithm, in)
	default:
		fault = measureWrap(operation, algorithm, in.Size)
	}
	if fault == "" {
		fault = measureExtras(operation, algorithm, in)
	}
	if fault != "" {
		return refuse(schema.CodeAlgorithmNotFitting, "%s", fault)
	}
	return nil
}

func measureDigest(algorithm schema.Algorithm, size int) error {
	if want := algorithm.Hash().Size(); size != want {
		return refuse(schema.CodeAlgorithmNotFitting, "%s signs a digest of %d bytes, and this one has %d", algorithm, want, size)
	}
	return nil
}

func measureRSA(key *rsa.PublicKey, operation schema.Operation, algorithm schema.Algorithm, size int) string {
	forward := operation == schema.Encrypt || operation == schema.WrapKey
	switch most := Capacity(key, algorithm); {
	case forward && size > most:
		return fmt.Sprintf("%s with %s takes at most %d bytes, and these are %d; encrypt longer ones with a key of their own, and wrap that", algorithm, describe(key), most, size)
	case !forward && size != key.Size():
		return fmt.Sprintf("a ciphertext of %s with %s has %d bytes, and this one has %d", algorithm, describe(key), key.Size(), size)
	}
	return ""
}

// Capacity is the longest plaintext, in bytes, of RSA1_5, RSA-OAEP or
// RSA-OAEP-256 with a key (RFC 8017, sections 7.1.1 and 7.2.1).
func Capacity(key *rsa.PublicKey, algorithm schema.Algorithm) int {
	if algorithm.Family() == schema.RSAES {
		return key.Size() - 11
	}
	return key.Size() - 2*algorithm.Hash().Size() - 2
}

func measureAES(operation schema.Operation, algorithm schema.Algorithm, in Input) string {
	if algorithm.Family() == schema.AESGCM {
		return ""
	}
	padded := algorithm == schema.A128CBCPAD || algorithm == schema.A192CBCPAD || algorithm == schema.A256CBCPAD
	if operation == schema.Encrypt && padded {
		return ""
	}
	if in.Size%aesBlock != 0 {
		return fmt.Sprintf("%s %ss whole blocks of %d bytes, and these are %d", algorithm, operation, aesBlock, in.Size)
	}
	return ""
}

func measureWrap(operation schema.Operation, algorithm schema.Algorithm, size int) string {
	least := 2 * kwBlock
	if operation == schema.UnwrapKey {
		least += kwBlock
	}
	if size < least || size%kwBlock != 0 {
		return fmt.Sprintf("%s takes %d bytes or more for %s, in whole blocks of %d, and these are %d", algorithm, least, operation, kwBlock, size)
	}
	return ""
}

// measureExtras checks what stands beside a plaintext or ciphertext.
func measureExtras(operation schema.Operation, algorithm schema.Algorithm, in Input) string {
	var iv, tag int
	switch family := algorithm.Family(); {
	case family == schema.AESCBC:
		iv = aesBlock
	case family == schema.AESGCM && operation == schema.Decrypt:
		iv, tag = gcmIV, gcmTag
	}
	switch {
	case in.IV != iv && iv == 0 && algorithm.Family() == schema.AESGCM:
		return fmt.Sprintf("%s takes no iv for encrypt: the vault makes it", algorithm)
	case in.IV != iv:
		return fmt.Sprintf("%s takes an iv of %d bytes for %s, and this one has %d", algorithm, iv, operation, in.IV)
	case in.Tag != tag:
		return fmt.Sprintf("%s takes a tag of %d bytes for %s, and this one has %d", algorithm, tag, operation, in.Tag)
	case in.AAD != 0 && algorithm.Family() != schema.AESGCM:
		return fmt.Sprintf("%s authenticates no additional data, and there are %d bytes of it", algorithm, in.AAD)
	}
	return ""
}
