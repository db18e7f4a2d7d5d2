package localvault

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"math"
	"math/big"
)

// rsaKey is an RSA key of 2048, 3072 or 4096 bits.
type rsaKey struct{ pair *rsa.PrivateKey }

func (k rsaKey) public() jwk {
	return jwk{Kty: "RSA", N: k.pair.N.Bytes(), E: big.NewInt(int64(k.pair.E)).Bytes()}
}

func (k rsaKey) private() privateJWK {
	return privateJWK{jwk: k.public(), D: k.pair.D.Bytes(), P: k.pair.Primes[0].Bytes(), Q: k.pair.Primes[1].Bytes()}
}

func (k rsaKey) class() class { return class{kty: "RSA", bits: k.pair.N.BitLen()} }

// pssOptions: the salt is as long as the hash.
func pssOptions(alg algorithm) *rsa.PSSOptions {
	return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: alg.hash}
}

func (k rsaKey) sign(alg algorithm, digest []byte) ([]byte, error) {
	if alg.pss {
		return rsa.SignPSS(rand.Reader, k.pair, alg.hash, digest, pssOptions(alg))
	}
	return rsa.SignPKCS1v15(rand.Reader, k.pair, alg.hash, digest)
}

func (k rsaKey) verify(alg algorithm, digest, signature []byte) bool {
	if alg.pss {
		return rsa.VerifyPSS(&k.pair.PublicKey, alg.hash, digest, signature, pssOptions(alg)) == nil
	}
	return rsa.VerifyPKCS1v15(&k.pair.PublicKey, alg.hash, digest, signature) == nil
}

func checkBits(bits int) error {
	switch bits {
	case 2048, 3072, 4096:
		return nil
	}
	return badParameter("key_size", fmt.Sprintf("%d bits; RSA keys have 2048, 3072 or 4096", bits))
}

func checkExponent(e int) error {
	if e < 3 || e > math.MaxInt32 || e%2 == 0 {
		return badParameter("public_exponent", "must be odd and from 3 to 2147483647")
	}
	return nil
}

func generateRSA(bits, exponent int) (material, error) {
	if bits == 0 {
		bits = 2048
	}
	if exponent == 0 {
		exponent = 65537
	}
	if err := checkBits(bits); err != nil {
		return nil, err
	}
	if err := checkExponent(exponent); err != nil {
		return nil, err
	}
	if exponent != 65537 {
		return generateWithExponent(bits, exponent)
	}
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, fmt.Errorf("generate RSA key of %d bits: %w", bits, err)
	}
	return rsaKey{private}, nil
}

// generateWithExponent makes a key with an exponent that the standard library
// does not choose itself (FIPS 186-5 appendix A.1.3, in outline: two random
// primes with the top bits set, until the exponent has an inverse).
func generateWithExponent(bits, exponent int) (material, error) {
	for {
		p, err := rand.Prime(rand.Reader, bits/2)
		if err != nil {
			return nil, fmt.Errorf("generate RSA prime: %w", err)
		}
		q, err := rand.Prime(rand.Reader, bits/2)
		if err != nil {
			return nil, fmt.Errorf("generate RSA prime: %w", err)
		}
		if key, err := assembleRSA(p, q, exponent); err == nil && key.class().bits == bits {
			return key, nil
		}
	}
}

// assembleRSA builds a key from its primes; the private exponent follows.
func assembleRSA(p, q *big.Int, exponent int) (rsaKey, error) {
	one := big.NewInt(1)
	totient := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	d := new(big.Int).ModInverse(big.NewInt(int64(exponent)), totient)
	if d == nil {
		return rsaKey{}, badParameter("e", "the exponent has no inverse for these primes")
	}
	return validRSA(&rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: exponent},
		D:         d,
		Primes:    []*big.Int{p, q},
	})
}

// validRSA checks that the parts belong together.
func validRSA(private *rsa.PrivateKey) (rsaKey, error) {
	private.Precompute()
	if err := private.Validate(); err != nil {
		return rsaKey{}, badParameter("key", err.Error())
	}
	return rsaKey{private}, nil
}

// parseRSA imports a key from n, e, d, p and q. The sizes are checked before
// any arithmetic.
func parseRSA(j privateJWK) (material, error) {
	n := new(big.Int).SetBytes(j.N)
	if err := checkBits(n.BitLen()); err != nil {
		return nil, err
	}
	e := new(big.Int).SetBytes(j.E)
	if e.BitLen() > 31 {
		return nil, badParameter("e", "must fit 31 bits")
	}
	if err := checkExponent(int(e.Int64())); err != nil {
		return nil, err
	}
	width := len(j.N)
	for _, part := range []octets{j.D, j.P, j.Q} {
		if len(part) == 0 || len(part) > width {
			return nil, badParameter("key", "d, p and q are needed and no longer than n")
		}
	}
	key, err := validRSA(&rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: n, E: int(e.Int64())},
		D:         new(big.Int).SetBytes(j.D),
		Primes:    []*big.Int{new(big.Int).SetBytes(j.P), new(big.Int).SetBytes(j.Q)},
	})
	if err != nil {
		return nil, err
	}
	return key, nil
}
