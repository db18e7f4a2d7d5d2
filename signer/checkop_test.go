package signer_test

import (
	"crypto/elliptic"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// good returns lengths that operation takes with algorithm and, for RSA, a key
// of 2,048 bits.
func good(operation schema.Operation, algorithm schema.Algorithm) signer.Input {
	forward := operation == schema.Encrypt || operation == schema.WrapKey
	switch algorithm.Family() {
	case schema.RSAES, schema.OAEP:
		if forward {
			return signer.Input{Size: 32}
		}
		return signer.Input{Size: 256}
	case schema.AESGCM:
		if forward {
			return signer.Input{Size: 5, AAD: 3}
		}
		return signer.Input{Size: 5, AAD: 3, IV: 12, Tag: 16}
	case schema.AESCBC:
		return signer.Input{Size: 32, IV: 16}
	case schema.AESKW:
		return signer.Input{Size: 24}
	}
	return signer.Input{Size: algorithm.Hash().Size()}
}

func keyOf(t *testing.T, algorithm schema.Algorithm) signer.Key {
	t.Helper()
	if algorithm.Symmetric() {
		key := asKey(nil)
		key.Symmetric = true
		return key
	}
	return asKey(keyFor(t, algorithm).public)
}

// TestCheckKnowsEveryPair goes through every operation with every algorithm
// and every type of key.
func TestCheckKnowsEveryPair(t *testing.T) {
	t.Parallel()
	for _, operation := range schema.Operations() {
		for _, algorithm := range schema.Algorithms() {
			for _, other := range []schema.Algorithm{schema.RS256, schema.ES256, schema.ES384, schema.ES512, schema.ES256K, schema.HS256} {
				key := keyOf(t, other)
				fits := operation.Takes(algorithm) && algorithm.Symmetric() == other.Symmetric() && algorithm.Curve() == other.Curve()
				err := signer.Check(key, operation, algorithm, good(operation, algorithm))
				what := fmt.Sprintf("%s %s with a key for %s", operation, algorithm, other)
				if fits && err != nil {
					t.Errorf("%s: %v", what, err)
				} else if !fits {
					wantCode(t, what, err, schema.CodeAlgorithmNotFitting)
				}
			}
		}
	}
}

// TestCheckMeasures changes one length at a time.
func TestCheckMeasures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		operation schema.Operation
		algorithm schema.Algorithm
		in        signer.Input
		says      string
	}{
		{schema.Verify, schema.ES384, signer.Input{Size: 32}, "digest of 48 bytes"},
		{schema.Sign, schema.HS512, signer.Input{Size: 32}, "digest of 64 bytes"},
		{schema.Encrypt, schema.RSA15, signer.Input{Size: 246}, "at most 245 bytes"},
		{schema.WrapKey, schema.RSAOAEP, signer.Input{Size: 215}, "at most 214 bytes"},
		{schema.Encrypt, schema.RSAOAEP256, signer.Input{Size: 191}, "at most 190 bytes"},
		{schema.Encrypt, schema.RSAOAEP256, signer.Input{}, "one byte or more"},
		{schema.Decrypt, schema.RSAOAEP256, signer.Input{Size: 255}, "256 bytes"},
		{schema.UnwrapKey, schema.RSA15, signer.Input{Size: 257}, "256 bytes"},
		{schema.Encrypt, schema.RSA15, signer.Input{Size: 1, IV: 16}, "iv of 0 bytes"},
		{schema.Encrypt, schema.A128GCM, signer.Input{Size: 1, IV: 12}, "the vault makes it"},
		{schema.Encrypt, schema.A128GCM, signer.Input{}, "one byte or more"},
		{schema.Decrypt, schema.A128GCM, signer.Input{Size: 1, IV: 16, Tag: 16}, "iv of 12 bytes"},
		{schema.Decrypt, schema.A128GCM, signer.Input{Size: 1, IV: 12, Tag: 12}, "tag of 16 bytes"},
		{schema.Encrypt, schema.A192CBC, signer.Input{Size: 17, IV: 16}, "whole blocks of 16 bytes"},
		{schema.Encrypt, schema.A192CBC, signer.Input{Size: 16, IV: 12}, "iv of 16 bytes"},
		{schema.Encrypt, schema.A192CBC, signer.Input{Size: 16, IV: 16, AAD: 1}, "no additional data"},
		{schema.Decrypt, schema.A256CBCPAD, signer.Input{Size: 17, IV: 16}, "whole blocks of 16 bytes"},
		{schema.Decrypt, schema.A256CBCPAD, signer.Input{Size: 16, IV: 16, Tag: 16}, "tag of 0 bytes"},
		{schema.WrapKey, schema.A256KW, signer.Input{Size: 8}, "16 bytes or more"},
		{schema.WrapKey, schema.A256KW, signer.Input{Size: 20}, "whole blocks of 8"},
		{schema.UnwrapKey, schema.A256KW, signer.Input{Size: 16}, "24 bytes or more"},
	}
	for _, test := range tests {
		err := signer.Check(keyOf(t, test.algorithm), test.operation, test.algorithm, test.in)
		checkOutcome(t, err, schema.CodeAlgorithmNotFitting, test.says)
	}
}

// TestCheckAttributes shows which attribute stops which operation, and that
// the cure allows what was allowed before as well.
func TestCheckAttributes(t *testing.T) {
	t.Parallel()
	cures := map[schema.Operation]string{
		schema.Sign: "--ops sign unwrapKey import", schema.Verify: "--ops verify unwrapKey import",
		schema.Encrypt: "--ops encrypt unwrapKey import", schema.Decrypt: "--ops decrypt unwrapKey import", schema.WrapKey: "--ops wrapKey unwrapKey import",
	}
	for operation, cure := range cures {
		algorithm := operation.Algorithms()[0]
		key, in := keyOf(t, algorithm), good(operation, algorithm)
		key.Operations = []string{"unwrapKey", "import"}
		checkOutcome(t, signer.Check(key, operation, algorithm, in), schema.CodeKeyUnusable, cure)
		key.Operations = []string{string(operation)}
		checkOutcome(t, signer.Check(key, operation, algorithm, in), "", "")
		dated := operation == schema.Sign || operation == schema.Encrypt || operation == schema.WrapKey
		want := map[bool]schema.Code{true: schema.CodeKeyUnusable}[dated]
		key.Expires = time.Now().Add(-time.Hour)
		checkOutcome(t, signer.Check(key, operation, algorithm, in), want, "expired")
		key.Expires, key.NotBefore = time.Time{}, time.Now().Add(time.Hour)
		checkOutcome(t, signer.Check(key, operation, algorithm, in), want, "--not-before")
		key.NotBefore, key.Enabled = time.Time{}, false
		checkOutcome(t, signer.Check(key, operation, algorithm, in), schema.CodeKeyUnusable, "--enabled true")
	}
}

func TestCheckGetPublicKey(t *testing.T) {
	t.Parallel()
	key := asKey(ecKey(t, elliptic.P256()).public)
	key.Operations = []string{}
	checkOutcome(t, signer.Check(key, schema.GetPublicKey, "", signer.Input{}), "", "")
	checkOutcome(t, signer.Check(key, schema.GetPublicKey, schema.ES256, signer.Input{}), schema.CodeAlgorithmNotFitting, "no algorithm")
	key.Enabled = false
	checkOutcome(t, signer.Check(key, schema.GetPublicKey, "", signer.Input{}), schema.CodeKeyUnusable, "disabled")
	checkOutcome(t, signer.Check(keyOf(t, schema.HS256), schema.GetPublicKey, "", signer.Input{}), schema.CodeAlgorithmNotFitting, "no public half")
}

func TestOpsWith(t *testing.T) {
	t.Parallel()
	want := "sign verify|verify sign|encrypt decrypt|decrypt encrypt|wrapKey unwrapKey|unwrapKey wrapKey|getPublicKey"
	var got []string
	for _, operation := range schema.Operations() {
		ops := strings.Fields(signer.OpsWith(signer.Key{}, operation))
		if len(ops) == 2 && ops[1] == string(operation) {
			ops[0], ops[1] = ops[1], ops[0]
		}
		got = append(got, strings.Join(ops, " "))
	}
	if text := strings.Join(got, "|"); text != want {
		t.Errorf("OpsWith = %s, want %s", text, want)
	}
}
