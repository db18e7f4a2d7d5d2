package signer_test

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// limits are those that Key Vault documents, by size and algorithm.
func limits() map[int]map[schema.Algorithm]int {
	return map[int]map[schema.Algorithm]int{
		2048: {schema.RSA15: 245, schema.RSAOAEP: 214, schema.RSAOAEP256: 190},
		3072: {schema.RSA15: 373, schema.RSAOAEP: 342, schema.RSAOAEP256: 318},
		4096: {schema.RSA15: 501, schema.RSAOAEP: 470, schema.RSAOAEP256: 446},
	}
}

// TestEncryptUpToTheLimit lets the standard library decrypt what is as short
// and as long as can be, and nothing longer pass.
func TestEncryptUpToTheLimit(t *testing.T) {
	t.Parallel()
	for bits, algorithms := range limits() {
		private := rsaKeys()[bits]
		for algorithm, most := range algorithms {
			if got := signer.Capacity(&private.PublicKey, algorithm); got != most {
				t.Errorf("Capacity of %s with %d bits = %d, want %d", algorithm, bits, got, most)
			}
			for _, size := range []int{1, most} {
				plaintext := make(schema.Secret, size)
				rand.Read(plaintext)
				sealed, err := signer.Encrypt(&private.PublicKey, algorithm, plaintext)
				if err != nil {
					t.Fatalf("%s of %d bytes: %v", algorithm, size, err)
				}
				if opened := open(t, private, algorithm, sealed); string(opened) != string(plaintext) {
					t.Errorf("%s of %d bytes with %d bits does not come back", algorithm, size, bits)
				}
			}
			for _, size := range []int{0, most + 1, most + 1000} {
				sealed, err := signer.Encrypt(&private.PublicKey, algorithm, []byte(strings.Repeat("marker", 300))[:size])
				wantCode(t, fmt.Sprint(algorithm, size), err, schema.CodeAlgorithmNotFitting)
				if sealed != nil || strings.Contains(err.Error(), "rker") || size > 0 && !strings.Contains(err.Error(), fmt.Sprintf("at most %d bytes", most)) {
					t.Errorf("%s of %d bytes = %d bytes, %v", algorithm, size, len(sealed), err)
				}
			}
		}
	}
}

func open(t *testing.T, private *rsa.PrivateKey, algorithm schema.Algorithm, sealed []byte) []byte {
	t.Helper()
	var opts crypto.DecrypterOpts
	if algorithm.Family() == schema.OAEP {
		opts = &rsa.OAEPOptions{Hash: algorithm.Hash()}
	}
	opened, err := private.Decrypt(nil, sealed, opts)
	if err != nil {
		t.Error(err)
	}
	return opened
}

func TestEncryptRefuses(t *testing.T) {
	t.Parallel()
	for _, algorithm := range append(schema.Algorithms(), "", "RSA-OAEP-512") {
		public := rsaKey(t, 2048).public
		if _, fits := limits()[2048][algorithm]; fits {
			public = ecKey(t, elliptic.P256()).public
		}
		for _, public := range []crypto.PublicKey{public, nil, (*rsa.PublicKey)(nil)} {
			sealed, err := signer.Encrypt(public, algorithm, []byte("text"))
			wantCode(t, string(algorithm), err, schema.CodeAlgorithmNotFitting)
			if sealed != nil {
				t.Errorf("%s with %T encrypts", algorithm, public)
			}
		}
	}
}

// TestVerifyLeavesSymmetricKeysToTheVault names the reason.
func TestVerifyLeavesSymmetricKeysToTheVault(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []schema.Algorithm{schema.HS256, schema.HS384, schema.HS512} {
		err := signer.Verify(nil, algorithm, digestOf(algorithm, ""), nil)
		wantCode(t, string(algorithm), err, schema.CodeAlgorithmNotFitting)
		if errors.Is(err, signer.ErrNotVerified) || !strings.Contains(err.Error(), "the vault, which must be asked") {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
	for _, algorithm := range schema.Encrypt.Algorithms() {
		wantCode(t, string(algorithm), signer.Verify(rsaKey(t, 2048).public, algorithm, make([]byte, 32), nil), schema.CodeAlgorithmNotFitting)
	}
}
