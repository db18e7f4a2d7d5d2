package localvault_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer/localvault"
)

// cipherCall is one of the SDK's methods that encrypt or decrypt.
type cipherCall string

func (op cipherCall) with(t *testing.T, c *azkeys.Client, p azkeys.KeyOperationParameters) (azkeys.KeyOperationResult, error) {
	t.Helper()
	switch op {
	case "encrypt":
		r, err := c.Encrypt(t.Context(), "k", "", p, nil)
		return r.KeyOperationResult, err
	case "decrypt":
		r, err := c.Decrypt(t.Context(), "k", "", p, nil)
		return r.KeyOperationResult, err
	case "wrapKey":
		r, err := c.WrapKey(t.Context(), "k", "", p, nil)
		return r.KeyOperationResult, err
	default:
		r, err := c.UnwrapKey(t.Context(), "k", "", p, nil)
		return r.KeyOperationResult, err
	}
}

// must is with for what has to work.
func (op cipherCall) must(t *testing.T, c *azkeys.Client, p azkeys.KeyOperationParameters) azkeys.KeyOperationResult {
	t.Helper()
	result, err := op.with(t, c, p)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func parameters(alg string, value []byte) azkeys.KeyOperationParameters {
	return azkeys.KeyOperationParameters{Algorithm: new(azkeys.EncryptionAlgorithm(alg)), Value: value}
}

// privateRSA is the key of rsaJWK for the standard library.
func privateRSA(j *azkeys.JSONWebKey) *rsa.PrivateKey {
	key := &rsa.PrivateKey{PublicKey: *rsaPublic(j), D: new(big.Int).SetBytes(j.D),
		Primes: []*big.Int{new(big.Int).SetBytes(j.P), new(big.Int).SetBytes(j.Q)}}
	key.Precompute()
	return key
}

// The standard library opens what the vault sealed, and the other way round.
func TestRSAEncryption(t *testing.T) {
	t.Parallel()
	cases := []struct {
		alg   string
		rooms map[int]int // longest plaintext by key size
		seal  func(*rsa.PublicKey, []byte) ([]byte, error)
		open  func(*rsa.PrivateKey, []byte) ([]byte, error)
	}{
		{"RSA1_5", map[int]int{2048: 245, 3072: 373, 4096: 501},
			func(k *rsa.PublicKey, m []byte) ([]byte, error) { return rsa.EncryptPKCS1v15(rand.Reader, k, m) }, //nolint:staticcheck // the service has it
			func(k *rsa.PrivateKey, m []byte) ([]byte, error) { return rsa.DecryptPKCS1v15(nil, k, m) }},       //nolint:staticcheck // the service has it
		{"RSA-OAEP", map[int]int{2048: 214, 3072: 342, 4096: 470},
			func(k *rsa.PublicKey, m []byte) ([]byte, error) {
				return rsa.EncryptOAEP(sha1.New(), rand.Reader, k, m, nil)
			},
			func(k *rsa.PrivateKey, m []byte) ([]byte, error) { return rsa.DecryptOAEP(sha1.New(), nil, k, m, nil) }},
		{"RSA-OAEP-256", map[int]int{2048: 190, 3072: 318, 4096: 446},
			func(k *rsa.PublicKey, m []byte) ([]byte, error) {
				return rsa.EncryptOAEP(sha256.New(), rand.Reader, k, m, nil)
			},
			func(k *rsa.PrivateKey, m []byte) ([]byte, error) {
				return rsa.DecryptOAEP(sha256.New(), nil, k, m, nil)
			}},
	}
	for _, bits := range []int{2048, 3072, 4096} {
		jwk := rsaJWK(t, bits)
		private := privateRSA(jwk)
		c := client(t, start(t, localvault.Config{}))
		made, err := c.ImportKey(t.Context(), "k", azkeys.ImportKeyParameters{Key: jwk}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, tc := range cases {
			for _, ops := range [][2]cipherCall{{"encrypt", "decrypt"}, {"wrapKey", "unwrapKey"}} {
				for _, size := range []int{1, 32, tc.rooms[bits]} {
					plain := make([]byte, size)
					rand.Read(plain) // never fails
					sealed := ops[0].must(t, c, parameters(tc.alg, plain))
					if *sealed.KID != *made.Key.KID || len(sealed.Result) != bits/8 || sealed.IV != nil || sealed.AuthenticationTag != nil {
						t.Errorf("%s %d: answer %+v", tc.alg, bits, sealed)
					}
					if got, err := tc.open(private, sealed.Result); err != nil || !bytes.Equal(got, plain) {
						t.Errorf("%s %d: the library opens %x, %v", tc.alg, bits, got, err)
					}
					other, err := tc.seal(&private.PublicKey, plain)
					if err != nil {
						t.Fatal(err)
					}
					opened := ops[1].must(t, c, parameters(tc.alg, other))
					if *opened.KID != *made.Key.KID || !bytes.Equal(opened.Result, plain) {
						t.Errorf("%s %d: the vault opens %+v", tc.alg, bits, opened)
					}
				}
				empty, err := tc.seal(&private.PublicKey, nil)
				if err != nil {
					t.Fatal(err)
				}
				if opened := ops[1].must(t, c, parameters(tc.alg, empty)); opened.Result == nil || len(opened.Result) != 0 {
					t.Errorf("%s %d: the vault opens %+v", tc.alg, bits, opened)
				}
				_, err = ops[0].with(t, c, parameters(tc.alg, make([]byte, tc.rooms[bits]+1)))
				wantRefusal(t, err, 400, "BadParameter", "")
				wantText(t, err, tc.alg, tc.rooms[bits], tc.rooms[bits]+1, bits)
			}
		}
	}
}

func TestCipherRefuses(t *testing.T) {
	t.Parallel()
	clients := map[string]*azkeys.Client{}
	for name, spec := range map[string]localvault.KeySpec{
		"rsa": {Type: "RSA"}, "ec": {Type: "EC"}, "oct128": {Type: "oct-HSM", Size: 128}, "oct256": {Type: "oct-HSM"},
		"wrapper": {Type: "RSA", Ops: []string{"wrapKey", "unwrapKey"}},
	} {
		_, clients[name] = oneKey(t, spec)
	}
	iv, tag := make([]byte, 16), make([]byte, 16)
	cases := []struct {
		name, key string
		op        cipherCall
		alg       string
		value     int
		spoil     func(*azkeys.KeyOperationParameters)
		words     []any // in the message
	}{
		{name: "unknown algorithm", key: "rsa", op: "encrypt", alg: "RSA-OAEP-512", value: 1},
		{name: "AES with RSA key", key: "rsa", op: "encrypt", alg: "A128GCM", value: 1},
		{name: "RSA with AES key", key: "oct128", op: "encrypt", alg: "RSA-OAEP", value: 1},
		{name: "EC key", key: "ec", op: "encrypt", alg: "RSA-OAEP", value: 1, words: []any{"key_ops"}},
		{name: "key too short", key: "oct128", op: "encrypt", alg: "A256GCM", value: 1, words: []any{256, 128}},
		{name: "key too long", key: "oct256", op: "wrapKey", alg: "A192KW", value: 16, words: []any{192, 256}},
		{name: "wrap does not encrypt", key: "oct256", op: "encrypt", alg: "A256KW", value: 16},
		{name: "GCM does not wrap", key: "oct256", op: "wrapKey", alg: "A256GCM", value: 16},
		{name: "no value", key: "rsa", op: "encrypt", alg: "RSA-OAEP", spoil: func(p *azkeys.KeyOperationParameters) { p.Value = nil }},
		{name: "caller's iv", key: "oct256", op: "encrypt", alg: "A256GCM", value: 1,
			spoil: func(p *azkeys.KeyOperationParameters) { p.IV = iv[:12] }, words: []any{12, "none"}},
		{name: "no iv", key: "oct256", op: "encrypt", alg: "A256CBCPAD", value: 1, words: []any{16}},
		{name: "short iv", key: "oct256", op: "encrypt", alg: "A256CBC", value: 16,
			spoil: func(p *azkeys.KeyOperationParameters) { p.IV = iv[:15] }, words: []any{15, 16}},
		{name: "part of a block", key: "oct256", op: "encrypt", alg: "A256CBC", value: 17,
			spoil: func(p *azkeys.KeyOperationParameters) { p.IV = iv }, words: []any{17, 16}},
		{name: "aad without GCM", key: "oct256", op: "encrypt", alg: "A256CBC", value: 16,
			spoil: func(p *azkeys.KeyOperationParameters) { p.IV, p.AdditionalAuthenticatedData = iv, iv }},
		{name: "iv with RSA", key: "rsa", op: "decrypt", alg: "RSA-OAEP", value: 256,
			spoil: func(p *azkeys.KeyOperationParameters) { p.IV = iv }},
		{name: "GCM needs its iv", key: "oct256", op: "decrypt", alg: "A256GCM", value: 1,
			spoil: func(p *azkeys.KeyOperationParameters) { p.AuthenticationTag = tag }, words: []any{12}},
		{name: "GCM needs its tag", key: "oct256", op: "decrypt", alg: "A256GCM", value: 1,
			spoil: func(p *azkeys.KeyOperationParameters) { p.IV, p.AuthenticationTag = iv[:12], tag[:12] }, words: []any{12, 16}},
		{name: "short key to wrap", key: "oct256", op: "wrapKey", alg: "A256KW", value: 8, words: []any{8, 16}},
		{name: "odd key to wrap", key: "oct256", op: "wrapKey", alg: "A256KW", value: 20, words: []any{20, 8}},
		{name: "operation", key: "wrapper", op: "encrypt", alg: "RSA-OAEP", value: 1, words: []any{"key_ops"}},
		{name: "operation back", key: "wrapper", op: "decrypt", alg: "RSA-OAEP", value: 256, words: []any{"key_ops"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			p := parameters(tc.alg, make([]byte, tc.value))
			if tc.spoil != nil {
				tc.spoil(&p)
			}
			_, err := tc.op.with(t, clients[tc.key], p)
			if len(tc.words) == 1 && tc.words[0] == "key_ops" {
				wantRefusal(t, err, 403, "Forbidden", "KeyOperationForbidden")
				return
			}
			wantRefusal(t, err, 400, "BadParameter", "")
			wantText(t, err, tc.words...)
		})
	}
}

// Whatever is wrong with a ciphertext, the answer is the same.
func TestDecryptDoesNotTellWhy(t *testing.T) {
	t.Parallel()
	_, rsaClient := oneKey(t, localvault.KeySpec{Type: "RSA"})
	_, aesClient := oneKey(t, localvault.KeySpec{Type: "oct-HSM"})
	iv := make([]byte, 16)
	var texts []string
	refused := func(op cipherCall, c *azkeys.Client, p azkeys.KeyOperationParameters) {
		t.Helper()
		_, err := op.with(t, c, p)
		wantRefusal(t, err, 400, "BadParameter", "")
		_, body, _ := strings.Cut(err.Error(), "ERROR CODE")
		texts = append(texts, body)
	}
	for _, alg := range []string{"RSA1_5", "RSA-OAEP", "RSA-OAEP-256"} {
		sealed := cipherCall("encrypt").must(t, rsaClient, parameters(alg, iv)).Result
		for _, value := range [][]byte{sealed[1:], append(bytes.Clone(sealed), 0), flip(sealed), bytes.Repeat([]byte{255}, 256)} {
			refused("decrypt", rsaClient, parameters(alg, value))
			refused("unwrapKey", rsaClient, parameters(alg, value))
		}
	}
	sealed := cipherCall("encrypt").must(t, aesClient, azkeys.KeyOperationParameters{Algorithm: new(azkeys.EncryptionAlgorithmA256GCM), Value: iv, AdditionalAuthenticatedData: iv})
	good := azkeys.KeyOperationParameters{Algorithm: new(azkeys.EncryptionAlgorithmA256GCM), Value: sealed.Result, IV: sealed.IV, AuthenticationTag: sealed.AuthenticationTag, AdditionalAuthenticatedData: iv}
	for _, part := range []func(*azkeys.KeyOperationParameters) *[]byte{
		func(p *azkeys.KeyOperationParameters) *[]byte { return &p.Value },
		func(p *azkeys.KeyOperationParameters) *[]byte { return &p.IV },
		func(p *azkeys.KeyOperationParameters) *[]byte { return &p.AuthenticationTag },
		func(p *azkeys.KeyOperationParameters) *[]byte { return &p.AdditionalAuthenticatedData },
	} {
		bad := good
		*part(&bad) = flip(*part(&bad))
		refused("decrypt", aesClient, bad)
	}
	padded := cipherCall("encrypt").must(t, aesClient, azkeys.KeyOperationParameters{Algorithm: new(azkeys.EncryptionAlgorithmA256CBCPAD), Value: []byte{1}, IV: iv})
	for _, end := range [][]byte{{0}, {17}, {255}, {1, 2}, {3, 2, 3}, bytes.Repeat([]byte{15}, 14), append([]byte{1}, bytes.Repeat([]byte{16}, 15)...)} {
		p := azkeys.KeyOperationParameters{Algorithm: new(azkeys.EncryptionAlgorithmA256CBC), Value: append(make([]byte, 32-len(end)), end...), IV: iv}
		p.Value, p.Algorithm = cipherCall("encrypt").must(t, aesClient, p).Result, new(azkeys.EncryptionAlgorithmA256CBCPAD)
		refused("decrypt", aesClient, p)
	}
	for _, value := range [][]byte{padded.Result[1:], flip(padded.Result)} {
		refused("decrypt", aesClient, azkeys.KeyOperationParameters{Algorithm: new(azkeys.EncryptionAlgorithmA256CBCPAD), Value: value, IV: iv})
	}
	wrapped := cipherCall("wrapKey").must(t, aesClient, parameters("A256KW", iv)).Result
	for _, value := range [][]byte{wrapped[:16], wrapped[1:], flip(wrapped)} {
		refused("unwrapKey", aesClient, parameters("A256KW", value))
	}
	for _, text := range texts {
		if text != texts[0] {
			t.Errorf("%q tells more than %q", text, texts[0])
		}
	}
}

func flip(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)/2] ^= 1
	return b
}

// Dates stop what makes new data under the key, and nothing else.
func TestCipherDates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := oneKey(t, localvault.KeySpec{Type: "RSA"})
		sealed := parameters("RSA-OAEP", cipherCall("encrypt").must(t, c, parameters("RSA-OAEP", []byte{1})).Result)
		attributes := &azkeys.KeyAttributes{Expires: new(time.Now().Add(time.Hour))}
		if _, err := c.UpdateKey(t.Context(), "k", "", azkeys.UpdateKeyParameters{KeyAttributes: attributes}, nil); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Hour)
		for _, op := range []cipherCall{"encrypt", "wrapKey"} {
			_, err := op.with(t, c, parameters("RSA-OAEP", []byte{1}))
			wantRefusal(t, err, 403, "Forbidden", "KeyExpired")
		}
		for _, op := range []cipherCall{"decrypt", "unwrapKey"} {
			if got := op.must(t, c, sealed); !bytes.Equal(got.Result, []byte{1}) {
				t.Errorf("%s: %+v", op, got)
			}
		}
	})
}
