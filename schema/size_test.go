package schema

import (
	"errors"
	"testing"
)

// TestSizes holds each bound in numbers: what fits, and what does not by one
// byte or one block. The parts that are not named fit.
func TestSizes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		operation  Operation
		algorithms []Algorithm
		part       part
		fit, unfit []int
	}{
		{Sign, []Algorithm{RS256, PS256, ES256, ES256K, HS256}, digestPart, []int{32}, []int{0, 20, 31, 33, 48, 64}},
		{Sign, []Algorithm{RS384, PS384, ES384, HS384}, digestPart, []int{48}, []int{0, 32, 47, 49, 64}},
		{Sign, []Algorithm{RS512, PS512, ES512, HS512}, digestPart, []int{64}, []int{0, 32, 48, 63, 65}},
		{Verify, []Algorithm{RS256, RS384, RS512, PS256, PS384, PS512}, signaturePart, []int{1, 256, 512}, []int{0, 513}},
		{Verify, []Algorithm{ES256, ES384, ES512, ES256K, HS256, HS384, HS512}, signaturePart, []int{1, 63, 64, 1024}, []int{0, 1025}},
		{Encrypt, []Algorithm{RSA15}, plaintextPart, []int{1, 501}, []int{0, 502}},
		{Encrypt, []Algorithm{RSAOAEP}, plaintextPart, []int{1, 470}, []int{0, 471}},
		{Encrypt, []Algorithm{RSAOAEP256}, plaintextPart, []int{1, 446}, []int{0, 447}},
		{Encrypt, []Algorithm{A128GCM, A192GCM, A256GCM}, plaintextPart, []int{1, 100_000}, []int{0}},
		{Encrypt, []Algorithm{A128GCM, A192GCM, A256GCM}, ivPart, []int{0}, []int{1, 12, 16}},
		{Encrypt, []Algorithm{A128GCM, A192GCM, A256GCM}, aadPart, []int{0, 1, 100_000}, nil},
		{Encrypt, []Algorithm{A128GCM, A192GCM, A256GCM}, tagPart, []int{0}, []int{16}},
		{Encrypt, []Algorithm{A128CBC, A192CBC, A256CBC}, plaintextPart, []int{16, 32, 48, 160_000}, []int{0, 1, 15, 17, 24, 40}},
		{Encrypt, []Algorithm{A128CBCPAD, A192CBCPAD, A256CBCPAD}, plaintextPart, []int{1, 15, 16, 17}, []int{0}},
		{Encrypt, []Algorithm{A128CBC, A256CBCPAD}, ivPart, []int{16}, []int{0, 12, 15, 17}},
		{Encrypt, []Algorithm{RSA15, RSAOAEP, RSAOAEP256, A128CBC, A256CBCPAD}, aadPart, []int{0}, []int{1}},
		{Encrypt, []Algorithm{RSA15, RSAOAEP, RSAOAEP256}, ivPart, []int{0}, []int{12, 16}},
		{Decrypt, []Algorithm{RSA15, RSAOAEP, RSAOAEP256}, ciphertextPart, []int{1, 256, 512}, []int{0, 513}},
		{Decrypt, []Algorithm{A128GCM, A192GCM, A256GCM}, ciphertextPart, []int{1, 100_000}, []int{0}},
		{Decrypt, []Algorithm{A128GCM, A192GCM, A256GCM}, ivPart, []int{12}, []int{0, 11, 13, 16}},
		{Decrypt, []Algorithm{A128GCM, A192GCM, A256GCM}, tagPart, []int{16}, []int{0, 12, 15, 17}},
		{Decrypt, []Algorithm{A128GCM, A192GCM, A256GCM}, aadPart, []int{0, 1}, nil},
		{Decrypt, []Algorithm{A128CBC, A192CBC, A256CBC, A128CBCPAD, A192CBCPAD, A256CBCPAD}, ciphertextPart, []int{16, 32, 48}, []int{0, 8, 15, 17, 40}},
		{Decrypt, []Algorithm{A128CBC, A256CBCPAD}, ivPart, []int{16}, []int{0, 12, 15, 17}},
		{Decrypt, []Algorithm{RSA15, A128CBC, A256CBCPAD}, tagPart, []int{0}, []int{16}},
		{WrapKey, []Algorithm{RSA15}, plaintextPart, []int{1, 501}, []int{0, 502}},
		{WrapKey, []Algorithm{RSAOAEP256}, plaintextPart, []int{1, 446}, []int{0, 447}},
		{WrapKey, []Algorithm{A128KW, A192KW, A256KW}, plaintextPart, []int{16, 24, 32, 40, 4096}, []int{0, 8, 15, 17, 20, 31}},
		{WrapKey, []Algorithm{RSA15, A256KW}, ivPart, []int{0}, []int{8, 16}},
		{UnwrapKey, []Algorithm{RSA15, RSAOAEP, RSAOAEP256}, ciphertextPart, []int{1, 512}, []int{0, 513}},
		{UnwrapKey, []Algorithm{A128KW, A192KW, A256KW}, ciphertextPart, []int{24, 32, 40}, []int{0, 8, 16, 23, 25}},
		{GetPublicKey, []Algorithm{""}, digestPart, []int{0}, []int{32}},
		{GetPublicKey, []Algorithm{""}, plaintextPart, []int{0}, []int{1}},
	} {
		for _, a := range c.algorithms {
			for _, n := range c.fit {
				if err := withPart(kind{c.operation, a}, c.part, n); err != nil {
					t.Errorf("%s %s: %d bytes of %s: got %v, want no fault", c.operation, a, n, c.part, err)
				}
			}
			for _, n := range c.unfit {
				var bad *Invalid
				if err := withPart(kind{c.operation, a}, c.part, n); !errors.As(err, &bad) || bad.Field != "/items/0/"+c.part.String() || bad.Code != CodeInvalidJob {
					t.Errorf("%s %s: %d bytes of %s: got %v, want a fault of it", c.operation, a, n, c.part, err)
				}
			}
		}
	}
}

// TestSchemaAgreesOnSizes gives each part of each kind of job many sizes. What
// decodes must be what the schema accepts.
func TestSchemaAgreesOnSizes(t *testing.T) {
	t.Parallel()
	js := compile(t, JobSchema())
	numbers := []int{0, 1, 8, 11, 12, 13, 15, 16, 17, 20, 23, 24, 25, 32, 40, 48, 49, 64, 96, 446, 447, 470, 471, 501, 502, 512, 513, 1024, 1025}
	accepted := 0
	for _, k := range kinds() {
		for p := range parts {
			for _, n := range numbers {
				j := k.job(1, 0)
				*j.Items[0].part(p) = make([]byte, n)
				doc := j.append(nil)
				_, err := Decode(doc, Limits{})
				if says := schemaSays(js, doc); (err == nil) != (says == nil) {
					t.Errorf("%s, %d bytes of %s: decoder: %v; schema: %v", k, n, p, err, says)
				}
				if err == nil {
					accepted++
				}
			}
		}
	}
	if accepted < 1500 {
		t.Errorf("got %d accepted jobs, want at least 1,500", accepted)
	}
}

// withPart encodes a job whose item has n bytes of a part.
func withPart(k kind, p part, n int) error {
	j := k.job(1, 0)
	*j.Items[0].part(p) = make([]byte, n)
	_, err := j.Encode(Limits{})
	return err
}

// TestKinds counts what can be asked for: 13 algorithms to sign and to verify
// with, 12 to encrypt and to decrypt, 6 to wrap and to unwrap, and the key.
func TestKinds(t *testing.T) {
	t.Parallel()
	if got, want := len(kinds()), 2*(13+12+6)+1; got != want {
		t.Errorf("got %d, want %d", got, want)
	}
	if got := len(Algorithms()); got != 28 {
		t.Errorf("got %d algorithms, want 28", got)
	}
	if got := len(PublicKeySignatures()); got != 10 {
		t.Errorf("got %d signature algorithms of public keys, want 10", got)
	}
	for _, a := range Algorithms() {
		if signs := Sign.Takes(a); signs != Verify.Takes(a) || signs == (Encrypt.Takes(a) || WrapKey.Takes(a)) {
			t.Errorf("%s: want it either to sign and verify, or to encrypt or wrap", a)
		}
		if GetPublicKey.Takes(a) || Operation("").Takes(a) || !a.Known() {
			t.Errorf("%s: want it known, and no algorithm of %s or of nothing", a, GetPublicKey)
		}
	}
}
