package signertest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// everyOperation does everything with every kind of key in every algorithm
// that fits, and is refused, with the reason, in every other pair.
func everyOperation(t *testing.T, h Harness) {
	for _, kind := range kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			key := h.resolve(t, h.Create(t, kind))
			if key.HSM != kind.HSM || !key.Enabled || key.Symmetric != kind.Symmetric || (key.Public == nil) != kind.Symmetric {
				t.Errorf("resolved %+v; want %s", key, kind)
			}
			for _, operation := range schema.Operations()[:6] {
				for _, algorithm := range append(schema.Algorithms(), "none", "") {
					c := call{h, key, operation, algorithm}
					if operation.Takes(algorithm) && kind.fits(algorithm) {
						c.roundTrip(t)
					} else {
						c.unfit(t, kind)
					}
				}
			}
		})
	}
}

// call is one operation with one key in one algorithm.
type call struct {
	h         Harness
	key       signer.Key
	operation schema.Operation
	algorithm schema.Algorithm
}

// String names the operation, the algorithm and the key, for messages of tests.
func (c call) String() string {
	return fmt.Sprintf("%s %s with %s", c.operation, c.algorithm, c.key.KID)
}

// as is the same with another operation.
func (c call) as(operation schema.Operation) call { c.operation = operation; return c }

// roundTrip does what fits, and undoes or checks it.
func (c call) roundTrip(t *testing.T) {
	t.Helper()
	switch c.operation {
	case schema.Sign, schema.Verify:
		c.signature(t)
	default:
		secret := schema.Secret("thirty-two bytes of a plain text")
		if got := c.open(t, c.seal(t, secret)); !bytes.Equal(got, secret) {
			t.Errorf("%s: the plaintext comes back as %x", c, []byte(got))
		}
	}
}

// signature signs, and verifies what is right and what is not.
func (c call) signature(t *testing.T) {
	t.Helper()
	digest := digestOf(c.algorithm, c.key.KID)
	sig := c.h.signs(t, request{c.key, c.algorithm, digest})
	c.verifies(t, digest, sig, true)
	c.verifies(t, digestOf(c.algorithm, "other"), sig, false)
	for _, wrong := range spoiled(sig) {
		c.verifies(t, digest, wrong, false)
	}
}

// spoiled lists what is no signature, in all lengths.
func spoiled(sig []byte) [][]byte {
	flipped := bytes.Clone(sig)
	flipped[len(sig)/2] ^= 1
	return [][]byte{flipped, make([]byte, len(sig)), sig[1:], sig[:len(sig)-1], append(bytes.Clone(sig), 0), {}, nil}
}

func (c call) verifies(t *testing.T, digest, sig []byte, want bool) {
	t.Helper()
	if got, err := c.h.Keys.Verify(t.Context(), c.key, c.algorithm, digest, sig); got != want || err != nil {
		t.Errorf("%s of %d bytes = %t, %v; want %t", c.as(schema.Verify), len(sig), got, err, want)
	}
}

// plain adds to a plaintext what the algorithm needs.
func (c call) plain(secret schema.Secret) signer.Plain {
	p := signer.Plain{Text: secret}
	switch c.algorithm.Family() {
	case schema.AESCBC:
		p.IV = []byte("sixteen bytes iv")
	case schema.AESGCM:
		p.AAD = []byte("additional data")
	}
	return p
}

// wraps reports whether c is an operation on keys.
func (c call) wraps() bool { return c.operation == schema.WrapKey || c.operation == schema.UnwrapKey }

// seal encrypts or wraps, and checks the form of what comes.
func (c call) seal(t *testing.T, secret schema.Secret) signer.Sealed {
	t.Helper()
	sealed, err := c.trySeal(t, c.plain(secret))
	if err != nil {
		t.Fatalf("%s of %d bytes: %v", c, len(secret), err)
	}
	iv, tag := 0, 0
	switch c.algorithm.Family() {
	case schema.AESGCM:
		iv, tag = 12, 16
	case schema.AESCBC:
		iv = 16
	}
	if len(sealed.IV) != iv || len(sealed.Tag) != tag || len(sealed.Ciphertext) == 0 {
		t.Errorf("%s: %+v; want an iv of %d and a tag of %d bytes", c, sealed, iv, tag)
	}
	return sealed
}

func (c call) trySeal(t *testing.T, p signer.Plain) (signer.Sealed, error) {
	if c.wraps() {
		wrapped, err := c.h.Keys.Wrap(t.Context(), c.key, c.algorithm, p.Text)
		return signer.Sealed{Ciphertext: wrapped}, err
	}
	return c.h.Keys.Encrypt(t.Context(), c.key, c.algorithm, p)
}

func (c call) open(t *testing.T, sealed signer.Sealed) schema.Secret {
	t.Helper()
	got, err := c.tryOpen(t, sealed)
	if err != nil {
		t.Fatalf("%s: %v", c, err)
	}
	return got
}

func (c call) tryOpen(t *testing.T, sealed signer.Sealed) (schema.Secret, error) {
	if c.wraps() {
		return c.h.Keys.Unwrap(t.Context(), c.key, c.algorithm, sealed.Ciphertext)
	}
	return c.h.Keys.Decrypt(t.Context(), c.key, c.algorithm, sealed)
}

// unfit is refused with the reason. The size of a symmetric key is the vault's
// to know, so that its refusal may come from there.
func (c call) unfit(t *testing.T, kind KeySpec) {
	t.Helper()
	empty, err := c.attempt(t)
	e := signer.AsError(err)
	fromVault := kind.Symmetric && c.algorithm.Symmetric() && e.Code == schema.CodeVaultRejected
	if err == nil || !empty || e.Code != schema.CodeAlgorithmNotFitting && !fromVault || !strings.Contains(err.Error(), " ") {
		t.Errorf("%s: nothing returned is %t, and the error %v", c, empty, err)
	}
}

// attempt calls with an input that would be right if the key were, and reports
// whether nothing came back.
func (c call) attempt(t *testing.T) (empty bool, err error) {
	digest, sealed := make([]byte, 32), signer.Sealed{Ciphertext: make([]byte, 32)}
	if hash := c.algorithm.Hash(); hash != 0 {
		digest = make([]byte, hash.Size())
	}
	switch c.algorithm.Family() {
	case schema.AESGCM:
		sealed.IV, sealed.Tag = make([]byte, 12), make([]byte, 16)
	case schema.AESCBC:
		sealed.IV = make([]byte, 16)
	}
	switch c.operation {
	case schema.Sign:
		sig, err := c.h.Keys.Sign(t.Context(), c.key, c.algorithm, digest)
		return sig == nil, err
	case schema.Verify:
		valid, err := c.h.Keys.Verify(t.Context(), c.key, c.algorithm, digest, make([]byte, 64))
		return !valid, err
	case schema.Encrypt, schema.WrapKey:
		made, err := c.trySeal(t, c.plain(make(schema.Secret, 32)))
		return made.Ciphertext == nil && made.IV == nil && made.Tag == nil, err
	}
	secret, err := c.tryOpen(t, sealed)
	return secret == nil, err
}
