package keyvault

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"

	"github.com/signmill/signmill/schema"
)

// choose finds the vault's algorithm for what the standard library asks, and
// the digest in the length that it takes.
func (k *PrivateKey) choose(digest []byte, opts crypto.SignerOpts) (schema.Algorithm, []byte, error) {
	hash, err := k.hashOf(digest, opts)
	if err != nil {
		return "", nil, err
	}
	pss, isPSS := opts.(*rsa.PSSOptions)
	if _, isRSA := k.public.(*rsa.PublicKey); !isRSA {
		if isPSS {
			return "", nil, k.refuse("PSS needs an RSA key")
		}
		algorithm := k.ecdsa()
		return algorithm, fitted(digest, algorithm.Hash().Size()), nil
	}
	if !isPSS {
		return map[crypto.Hash]schema.Algorithm{crypto.SHA256: schema.RS256, crypto.SHA384: schema.RS384, crypto.SHA512: schema.RS512}[hash], digest, nil
	}
	switch pss.SaltLength {
	case rsa.PSSSaltLengthAuto, rsa.PSSSaltLengthEqualsHash, hash.Size():
		return map[crypto.Hash]schema.Algorithm{crypto.SHA256: schema.PS256, crypto.SHA384: schema.PS384, crypto.SHA512: schema.PS512}[hash], digest, nil
	}
	return "", nil, k.refuse(fmt.Sprintf("the vault makes PSS salts as long as the hash, %d bytes, and not of %d", hash.Size(), pss.SaltLength))
}

// hashOf returns the hash that made digest: by opts, or by its length.
func (k *PrivateKey) hashOf(digest []byte, opts crypto.SignerOpts) (crypto.Hash, error) {
	pss, isPSS := opts.(*rsa.PSSOptions)
	if opts == nil || isPSS && (pss == nil || pss.Hash == 0) {
		if isPSS && pss == nil {
			return 0, k.refuse("the PSS options are a nil pointer")
		}
		for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
			if len(digest) == hash.Size() {
				return hash, nil
			}
		}
		return 0, k.refuse(fmt.Sprintf("a digest has 32, 48 or 64 bytes, and this one has %d", len(digest)))
	}
	hash := opts.HashFunc()
	switch {
	case !supported(hash):
		return 0, k.refuse("the vault signs digests of SHA-256, SHA-384 and SHA-512, and not of " + hash.String())
	case len(digest) != hash.Size():
		return 0, k.refuse(fmt.Sprintf("a digest of %s has %d bytes, and this one has %d", hash, hash.Size(), len(digest)))
	}
	return hash, nil
}

func supported(hash crypto.Hash) bool {
	return hash == crypto.SHA256 || hash == crypto.SHA384 || hash == crypto.SHA512
}

// ecdsa returns the algorithm of an EC key.
func (k *PrivateKey) ecdsa() schema.Algorithm {
	if public, ok := k.public.(*ecdsa.PublicKey); ok {
		switch public.Curve {
		case elliptic.P256():
			return schema.ES256
		case elliptic.P384():
			return schema.ES384
		case elliptic.P521():
			return schema.ES512
		}
	}
	return schema.ES256K
}

// hash returns the hash that belongs to the key.
func (k *PrivateKey) hash() crypto.Hash {
	if _, isRSA := k.public.(*rsa.PublicKey); isRSA {
		return crypto.SHA256
	}
	return k.ecdsa().Hash()
}

// fitted gives a digest the length that an ECDSA algorithm takes. None of the
// lengths of ES256, ES256K, ES384 and ES512 exceeds its curve's order in bits,
// so that cutting off on the right is what ECDSA does itself, and zeros on the
// left do not count.
func fitted(digest []byte, size int) []byte {
	if len(digest) >= size {
		return digest[:size]
	}
	return append(make([]byte, size-len(digest), size), digest...)
}
