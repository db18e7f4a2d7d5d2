package signertest

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// limitedKeys shows which operations a key's dates and key_ops stop: outside
// its dates a key still verifies, decrypts and unwraps; key_ops allow what
// they name and nothing else, work with the public half included.
func limitedKeys(t *testing.T, h Harness) {
	later := KeySpec{Bits: 2048, NotBefore: time.Now().Add(time.Hour)}
	past := KeySpec{Bits: 2048, Expires: time.Now().Add(-time.Hour)}
	specs := map[string]KeySpec{"expired": past, "not yet valid": later}
	allowed := map[string][]schema.Operation{"expired": {schema.Verify, schema.Decrypt, schema.UnwrapKey}, "not yet valid": {schema.Verify, schema.Decrypt, schema.UnwrapKey}}
	for _, operation := range schema.Operations()[:6] {
		name := "only " + string(operation)
		specs[name], allowed[name] = KeySpec{Bits: 2048, Operations: []string{string(operation)}}, []schema.Operation{operation}
	}
	for name, spec := range specs {
		t.Run(name, func(t *testing.T) {
			key := h.resolve(t, h.Create(t, spec))
			for _, operation := range schema.Operations()[:6] {
				err := h.useOnce(t, key, operation)
				switch {
				case !slices.Contains(allowed[name], operation):
					wantCode(t, err, schema.CodeKeyUnusable)
				case h.strays(StrictDates) && spec.Operations == nil && operation != schema.Verify:
					wantCode(t, err, schema.CodeForbidden)
				case h.strays(PairedOps) && spec.Operations != nil && (operation == schema.Decrypt || operation == schema.UnwrapKey):
					wantCode(t, err, schema.CodeUnavailable)
				case err != nil:
					t.Errorf("%s: %v", operation, err)
				}
			}
		})
	}
}

// useOnce does operation with an RSA key, on what the standard library made.
func (h Harness) useOnce(t *testing.T, key signer.Key, operation schema.Operation) error {
	t.Helper()
	algorithm, text := schema.RSAOAEP256, schema.Secret("text")
	sealed, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, key.Public.(*rsa.PublicKey), text, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got schema.Secret
	switch operation {
	case schema.Sign:
		_, err = h.Keys.Sign(t.Context(), key, schema.PS256, digestOf(schema.PS256, "hello"))
		return err
	case schema.Verify:
		_, err = h.Keys.Verify(t.Context(), key, schema.PS256, digestOf(schema.PS256, "hello"), make([]byte, 256))
		return err
	case schema.Encrypt:
		_, err = h.Keys.Encrypt(t.Context(), key, algorithm, signer.Plain{Text: text})
		return err
	case schema.WrapKey:
		_, err = h.Keys.Wrap(t.Context(), key, algorithm, text)
		return err
	case schema.Decrypt:
		got, err = h.Keys.Decrypt(t.Context(), key, algorithm, signer.Sealed{Ciphertext: sealed})
	default:
		got, err = h.Keys.Unwrap(t.Context(), key, algorithm, sealed)
	}
	if err == nil && !bytes.Equal(got, text) {
		t.Errorf("%s = %x", operation, []byte(got))
	}
	return err
}
