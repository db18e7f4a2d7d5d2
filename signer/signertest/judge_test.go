package signertest

import (
	"crypto/sha256"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/signmill/signmill/schema"
)

// TestTextbook compares the plain arithmetic with a library, on good
// signatures and on spoiled ones.
func TestTextbook(t *testing.T) {
	t.Parallel()
	for i := range 20 {
		key, err := secp256k1.GeneratePrivateKey()
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256([]byte{byte(i)})
		sig := ecdsa.Sign(key, digest[:])
		r, s := sig.R(), sig.S()
		rb, sb := r.Bytes(), s.Bytes()
		jose := append(rb[:], sb[:]...)
		if err := judge(key.PubKey(), schema.ES256K, digest[:], jose); err != nil {
			t.Error(err)
		}
		jose[i] ^= 1
		if err := judge(key.PubKey(), schema.ES256K, digest[:], jose); err == nil {
			t.Error("the judge took a spoiled signature")
		}
	}
}
