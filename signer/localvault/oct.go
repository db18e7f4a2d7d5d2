package localvault

import (
	"crypto/hmac"
	"crypto/rand"
	_ "crypto/sha512" // for crypto.SHA384 and crypto.SHA512
	"fmt"
)

// octKey is a symmetric key of 128, 192 or 256 bits, for AES and HMAC.
type octKey struct{ secret []byte }

// public returns the type only: such a key has no public half.
func (k octKey) public() jwk { return jwk{Kty: "oct"} }

func (k octKey) private() privateJWK { return privateJWK{jwk: k.public(), K: k.secret} }

func (k octKey) class() class { return class{kty: "oct", bits: 8 * len(k.secret)} }

// sign returns the HMAC of the digest, as long as the hash (RFC 2104).
func (k octKey) sign(alg algorithm, digest []byte) ([]byte, error) {
	mac := hmac.New(alg.hash.New, k.secret)
	mac.Write(digest) // never fails
	return mac.Sum(nil), nil
}

func (k octKey) verify(alg algorithm, digest, signature []byte) bool {
	mac, err := k.sign(alg, digest)
	return err == nil && hmac.Equal(mac, signature)
}

func checkOctBits(property string, bits int) error {
	switch bits {
	case 128, 192, 256:
		return nil
	}
	return badParameter(property, fmt.Sprintf("%d bits; symmetric keys have 128, 192 or 256", bits))
}

func generateOct(bits int) (material, error) {
	if bits == 0 {
		bits = 256
	}
	if err := checkOctBits("key_size", bits); err != nil {
		return nil, err
	}
	secret := make([]byte, bits/8)
	rand.Read(secret) // never fails
	return octKey{secret}, nil
}

// parseOct imports a key from k.
func parseOct(j privateJWK) (material, error) {
	if err := checkOctBits("k", 8*len(j.K)); err != nil {
		return nil, err
	}
	return octKey{j.K}, nil
}
