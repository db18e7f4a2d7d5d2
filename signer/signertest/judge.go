package signertest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/signmill/signmill/schema"
)

// judge checks a signature in JOSE form without the code under test.
func judge(public crypto.PublicKey, algorithm schema.Algorithm, digest, signature []byte) error {
	switch key := public.(type) {
	case *rsa.PublicKey:
		if algorithm.Family() == schema.PSS {
			return rsa.VerifyPSS(key, algorithm.Hash(), digest, signature, &rsa.PSSOptions{SaltLength: algorithm.Hash().Size()})
		}
		return rsa.VerifyPKCS1v15(key, algorithm.Hash(), digest, signature)
	case *ecdsa.PublicKey:
		width := (key.Params().BitSize + 7) / 8
		if r, s, ok := halves(signature, width); !ok || !ecdsa.Verify(key, digest, r, s) {
			return errors.New("r || s does not verify")
		}
		return nil
	case *secp256k1.PublicKey:
		if r, s, ok := halves(signature, 32); !ok || !textbook(key, digest, r, s) {
			return errors.New("r || s does not verify on secp256k1")
		}
		return nil
	}
	return fmt.Errorf("a public key of type %T is none of the contract's", public)
}

func halves(signature []byte, width int) (r, s *big.Int, ok bool) {
	if len(signature) != 2*width {
		return nil, nil, false
	}
	return new(big.Int).SetBytes(signature[:width]), new(big.Int).SetBytes(signature[width:]), true
}

// curvePoint is an affine point on secp256k1; nil is the point at infinity.
type curvePoint struct{ x, y *big.Int }

// textbook verifies ECDSA on secp256k1 (SEC 1, section 4.1.4) with plain
// arithmetic: slow, and sharing no code with any library.
func textbook(key *secp256k1.PublicKey, digest []byte, r, s *big.Int) bool {
	c := secp256k1.Params()
	if r.Sign() <= 0 || s.Sign() <= 0 || r.Cmp(c.N) >= 0 || s.Cmp(c.N) >= 0 {
		return false
	}
	w := new(big.Int).ModInverse(s, c.N)
	u1 := w.Mul(w, new(big.Int).SetBytes(digest))
	u1.Mod(u1, c.N)
	u2 := new(big.Int).ModInverse(s, c.N)
	u2.Mul(u2, r).Mod(u2, c.N)
	sum := add(multiply(&curvePoint{c.Gx, c.Gy}, u1, c.P), multiply(&curvePoint{key.X(), key.Y()}, u2, c.P), c.P)
	return sum != nil && new(big.Int).Mod(sum.x, c.N).Cmp(r) == 0
}

func multiply(p *curvePoint, k, prime *big.Int) *curvePoint {
	var sum *curvePoint
	for i := k.BitLen() - 1; i >= 0; i-- {
		sum = add(sum, sum, prime)
		if k.Bit(i) == 1 {
			sum = add(sum, p, prime)
		}
	}
	return sum
}

// add adds two points of y² = x³ + 7 over the field of prime order.
func add(p, q *curvePoint, prime *big.Int) *curvePoint {
	if p == nil || q == nil {
		if p == nil {
			return q
		}
		return p
	}
	slope := new(big.Int)
	switch {
	case p.x.Cmp(q.x) != 0:
		run := new(big.Int).Sub(q.x, p.x)
		run.Mod(run, prime)
		slope.Sub(q.y, p.y).Mul(slope, run.ModInverse(run, prime))
	case p.y.Cmp(q.y) != 0 || p.y.Sign() == 0:
		return nil
	default:
		twice := new(big.Int).Lsh(p.y, 1)
		twice.Mod(twice, prime)
		slope.Mul(p.x, p.x).Mul(slope, big.NewInt(3)).Mul(slope, twice.ModInverse(twice, prime))
	}
	x := new(big.Int).Mul(slope, slope)
	x.Sub(x, p.x).Sub(x, q.x).Mod(x, prime)
	y := new(big.Int).Sub(p.x, x)
	y.Mul(y, slope).Sub(y, p.y).Mod(y, prime)
	return &curvePoint{x, y}
}
