package signertest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// rsaLimits are the longest plaintexts, as Key Vault documents them.
func rsaLimits() map[int]map[schema.Algorithm]int {
	return map[int]map[schema.Algorithm]int{
		2048: {schema.RSA15: 245, schema.RSAOAEP: 214, schema.RSAOAEP256: 190},
		3072: {schema.RSA15: 373, schema.RSAOAEP: 342, schema.RSAOAEP256: 318},
		4096: {schema.RSA15: 501, schema.RSAOAEP: 470, schema.RSAOAEP256: 446},
	}
}

// inputLimits goes up to each limit, and a byte beyond, where the message
// names it.
func inputLimits(t *testing.T, h Harness) {
	for bits, limits := range rsaLimits() {
		t.Run(fmt.Sprint("RSA ", bits), func(t *testing.T) {
			key := h.resolve(t, h.Create(t, KeySpec{Bits: bits}))
			for algorithm, most := range limits {
				for _, operation := range []schema.Operation{schema.Encrypt, schema.WrapKey} {
					c := call{h, key, operation, algorithm}
					c.comesBack(t, 1, most)
					c.isRefused(t, fmt.Sprintf("at most %d bytes", most), most+1, 10*most)
					c.isRefused(t, "one byte or more", 0)
				}
			}
		})
	}
	for _, bits := range []int{128, 192, 256} {
		t.Run(fmt.Sprint("oct ", bits), func(t *testing.T) {
			key := h.resolve(t, h.Create(t, KeySpec{Bits: bits, Symmetric: true, HSM: true}))
			with := func(operation schema.Operation, mode string) call {
				return call{h, key, operation, schema.Algorithm(fmt.Sprint("A", bits, mode))}
			}
			with(schema.Encrypt, "GCM").comesBack(t, 1, 15, 16, 17, 10000)
			with(schema.Encrypt, "GCM").isRefused(t, "one byte or more", 0)
			with(schema.Encrypt, "CBCPAD").comesBack(t, 1, 15, 16, 17, 10000)
			with(schema.Encrypt, "CBC").comesBack(t, 16, 32, 10000)
			with(schema.Encrypt, "CBC").isRefused(t, "whole blocks of 16 bytes", 1, 15, 17)
			with(schema.WrapKey, "KW").comesBack(t, 16, 24, 4096)
			with(schema.WrapKey, "KW").isRefused(t, "16 bytes or more", 8, 20)
		})
	}
	digests(t, h)
}

// digests of the wrong length are refused.
func digests(t *testing.T, h Harness) {
	key := h.resolve(t, h.Create(t, KeySpec{Curve: "P-256"}))
	digest := digestOf(schema.ES256, "hello")
	for _, wrong := range [][]byte{nil, digest[1:], append(digest, 0)} {
		h.refuses(t, request{key, schema.ES256, wrong}, schema.CodeAlgorithmNotFitting)
		valid, err := h.Keys.Verify(t.Context(), key, schema.ES256, wrong, make([]byte, 64))
		wantCode(t, err, schema.CodeAlgorithmNotFitting)
		if valid {
			t.Error("a digest of the wrong length verifies")
		}
	}
}

func (c call) comesBack(t *testing.T, sizes ...int) {
	t.Helper()
	for _, size := range sizes {
		secret := schema.Secret(strings.Repeat("secret!\x00", size/8+1)[:size])
		if got := c.open(t, c.seal(t, secret)); !bytes.Equal(got, secret) {
			t.Errorf("%s: %d bytes come back as %d", c, size, len(got))
		}
	}
}

func (c call) isRefused(t *testing.T, says string, sizes ...int) {
	t.Helper()
	for _, size := range sizes {
		made, err := c.trySeal(t, c.plain(make(schema.Secret, size)))
		wantCode(t, err, schema.CodeAlgorithmNotFitting)
		if made.Ciphertext != nil || err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s of %d bytes: %d bytes, %v; want %q", c, size, len(made.Ciphertext), err, says)
		}
	}
}

// damagedInput changes what was encrypted, bit by bit and part by part. What
// cannot be decrypted is refused without a word on why, and nothing comes out.
func damagedInput(t *testing.T, h Harness) {
	for _, kind := range []KeySpec{{Bits: 2048}, {Bits: 256, Symmetric: true, HSM: true}} {
		t.Run(kind.String(), func(t *testing.T) {
			key := h.resolve(t, h.Create(t, kind))
			for _, operation := range []schema.Operation{schema.Decrypt, schema.UnwrapKey} {
				for _, algorithm := range operation.Algorithms() {
					if kind.fits(algorithm) && algorithm.Family() != schema.AESCBC { // CBC cannot tell
						c := call{h, key, operation, algorithm}
						c.damaged(t, c.seal(t, schema.Secret("thirty-two bytes of a plain text")))
					}
				}
			}
		})
	}
}

func (c call) damaged(t *testing.T, sealed signer.Sealed) {
	t.Helper()
	said := ""
	for name, part := range map[string]*[]byte{"ciphertext": &sealed.Ciphertext, "iv": &sealed.IV, "tag": &sealed.Tag, "aad": &sealed.AAD} {
		right := *part
		for _, at := range []int{0, len(right) - 1} {
			if len(right) == 0 {
				continue
			}
			*part = bytes.Clone(right)
			(*part)[at] ^= 1
			got, err := c.tryOpen(t, sealed)
			wantCode(t, err, c.h.otherwise(FailingDamaged, schema.CodeUnavailable, schema.CodeVaultRejected))
			message := signer.AsError(err).Message
			if got != nil || said != "" && message != said {
				t.Errorf("%s, %s damaged: %d bytes, %v; want what was said before: %s", c, name, len(got), err, said)
			}
			said = message
		}
		*part = right
	}
}

// silentSecrets makes each operation fail on a plaintext that is easy to find,
// and looks for it in the errors.
func silentSecrets(t *testing.T, h Harness) {
	marker := schema.Secret(strings.Repeat("marker-0f3a ", 1000))
	for _, kind := range []KeySpec{{Bits: 2048}, {Curve: "P-256"}, {Bits: 128, Symmetric: true, HSM: true}} {
		t.Run(kind.String(), func(t *testing.T) {
			key := h.resolve(t, h.Create(t, kind))
			for _, operation := range []schema.Operation{schema.Encrypt, schema.WrapKey} {
				for _, algorithm := range append(schema.Algorithms(), "none") {
					c := call{h, key, operation, algorithm}
					for _, secret := range []schema.Secret{marker[:33], marker[:32], marker} {
						_, err := c.trySeal(t, c.plain(secret))
						c.keepsQuiet(t, err)
						_, err = c.tryOpen(t, signer.Sealed{Ciphertext: secret, IV: c.plain(nil).IV})
						c.keepsQuiet(t, err)
					}
				}
			}
		})
	}
}

func (c call) keepsQuiet(t *testing.T, err error) {
	t.Helper()
	text := fmt.Sprintf("%v %+v %#v", err, err, err)
	for _, form := range []string{"marker-0f3a", "bWFya2VyLTBmM2Eg", fmt.Sprintf("%x", "marker-0f3a")} {
		if strings.Contains(text, form) {
			t.Errorf("%s: the error tells the plaintext: %s", c, text)
		}
	}
}

// manyRounds signs and verifies until the rare shapes of r and s, those with a
// zero in front, have both been seen, which takes some 400 rounds.
func manyRounds(t *testing.T, h Harness) {
	least, most := 100, 2000
	if testing.Short() {
		least, most = 20, 20
	}
	for _, algorithm := range []schema.Algorithm{schema.ES256, schema.ES384, schema.ES512, schema.ES256K} {
		t.Run(string(algorithm), func(t *testing.T) {
			t.Parallel()
			key := h.resolve(t, h.Create(t, KeySpec{Curve: algorithm.Curve()}))
			c := call{h, key, schema.Sign, algorithm}
			var r, s bool // seen with a zero in front
			for i := 0; i < least || i < most && !(r && s); i++ {
				digest := digestOf(algorithm, fmt.Sprint(i))
				sig := h.signs(t, request{key, algorithm, digest})
				c.verifies(t, digest, sig, true)
				if t.Failed() {
					return
				}
				r, s = r || sig[0] == 0, s || sig[len(sig)/2] == 0
			}
		})
	}
}
