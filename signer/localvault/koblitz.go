package localvault

import (
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// koblitzKey is a key on secp256k1, which the service calls P-256K (SEC 2
// section 2.4.1).
type koblitzKey struct{ pair *secp256k1.PrivateKey }

const koblitzWidth = 32

func (k koblitzKey) public() jwk {
	point := k.pair.PubKey().SerializeUncompressed() // 4 || x || y
	return jwk{Kty: "EC", Crv: "P-256K", X: point[1 : 1+koblitzWidth], Y: point[1+koblitzWidth:]}
}

func (k koblitzKey) private() privateJWK {
	return privateJWK{jwk: k.public(), D: k.pair.Serialize()}
}

func (k koblitzKey) class() class { return class{kty: "EC", curve: "P-256K"} }

// sign returns r and s, 32 bytes each. The library's nonces follow from key
// and digest (RFC 6979) and its s is the lower one; the service promises neither.
func (k koblitzKey) sign(_ algorithm, digest []byte) ([]byte, error) {
	signature := ecdsa.Sign(k.pair, digest)
	r, s := signature.R(), signature.S()
	rb, sb := r.Bytes(), s.Bytes()
	return append(rb[:], sb[:]...), nil
}

// verify accepts the lower and the higher s.
func (k koblitzKey) verify(_ algorithm, digest, signature []byte) bool {
	if len(signature) != 2*koblitzWidth {
		return false
	}
	var r, s secp256k1.ModNScalar
	if r.SetByteSlice(signature[:koblitzWidth]) || s.SetByteSlice(signature[koblitzWidth:]) {
		return false
	}
	return ecdsa.NewSignature(&r, &s).Verify(digest, k.pair.PubKey())
}

func generateKoblitz() (material, error) {
	private, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		return nil, fmt.Errorf("generate EC key on P-256K: %w", err)
	}
	return koblitzKey{private}, nil
}

func parseKoblitz(d []byte) (material, error) {
	var scalar secp256k1.ModNScalar
	if len(d) != koblitzWidth || scalar.SetByteSlice(d) || scalar.IsZero() {
		return nil, badParameter("d", "not a scalar of P-256K")
	}
	return koblitzKey{secp256k1.NewPrivateKey(&scalar)}, nil
}
