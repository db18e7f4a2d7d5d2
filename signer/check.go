package signer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signmill/signmill/schema"
)

// Leeway is how far outside its dates a key may still be tried. The vault's
// clock decides, and it forgives a few minutes itself.
const Leeway = 5 * time.Minute

// Input is the measure of what an operation is asked to work on, in bytes. It
// holds lengths only, so that a check never sees a plaintext.
type Input struct {
	Size int // of the digest, plaintext, ciphertext, key or wrapped key
	IV   int // of AES-CBC, and of AES-GCM for decrypt
	AAD  int // of AES-GCM
	Tag  int // of AES-GCM for decrypt

	At time.Time // the time of use; zero: now
}

// Check reports whether the vault would do operation with key, as far as that
// can be told here, so that a hopeless call costs no quota and local work is
// refused where the vault's would be. In this order it fails with
// CodeAlgorithmNotFitting when the operation does not take the algorithm, or
// the key or a length does not suit it, and with CodeKeyUnusable when key_ops
// lacks the operation, the key is disabled, or, for sign, encrypt and wrapKey,
// the time lies outside the key's dates by more than [Leeway].
//
// GetPublicKey takes no algorithm and looks at no key_ops; a symmetric key has
// nothing to get.
func Check(key Key, operation schema.Operation, algorithm schema.Algorithm, input Input) error {
	if operation == schema.GetPublicKey {
		return checkPublic(key, algorithm)
	}
	if !operation.Takes(algorithm) {
		return refuse(schema.CodeAlgorithmNotFitting, "%q does not %s; these do: %v", string(algorithm), operation, operation.Algorithms())
	}
	if err := Fits(key, algorithm); err != nil {
		return err
	}
	if err := measure(key.Public, operation, algorithm, input); err != nil {
		return err
	}
	return Usable(key, operation, input.At)
}

func checkPublic(key Key, algorithm schema.Algorithm) error {
	switch {
	case algorithm != "":
		return refuse(schema.CodeAlgorithmNotFitting, "getPublicKey takes no algorithm, and this is %q", string(algorithm))
	case key.Public == nil:
		return refuse(schema.CodeAlgorithmNotFitting, "%s: a symmetric key has no public half", key.KID)
	case !key.Enabled:
		return disabled(key)
	}
	return nil
}

// Usable is Check without algorithm and input: it looks only at the attributes
// that people may change. At is the time of use; zero: now.
func Usable(key Key, operation schema.Operation, at time.Time) error {
	switch {
	case operation == schema.GetPublicKey:
		return checkPublic(key, "")
	case key.Operations != nil && !slices.Contains(key.Operations, string(operation)):
		return refuse(schema.CodeKeyUnusable, "key_ops of %s lacks %s; allow it with: az keyvault key set-attributes --id %s --ops %s", key.KID, operation, key.KID, OpsWith(key, operation))
	case !key.Enabled:
		return disabled(key)
	case operation != schema.Sign && operation != schema.Encrypt && operation != schema.WrapKey:
		return nil // the vault goes on checking and decrypting outside the dates
	}
	if at.IsZero() {
		at = time.Now()
	}
	return dated(key, at)
}

func disabled(key Key) error {
	return refuse(schema.CodeKeyUnusable, "%s is disabled; enable it with: az keyvault key set-attributes --id %s --enabled true", key.KID, key.KID)
}

func dated(key Key, at time.Time) error {
	switch {
	case !key.NotBefore.IsZero() && at.Before(key.NotBefore.Add(-Leeway)):
		date := key.NotBefore.UTC().Format(time.RFC3339)
		return refuse(schema.CodeKeyUnusable, "%s is not valid before %s; use it then, or move the date with: az keyvault key set-attributes --id %s --not-before <date>", key.KID, date, key.KID)
	case !key.Expires.IsZero() && at.After(key.Expires.Add(Leeway)):
		date := key.Expires.UTC().Format(time.RFC3339)
		return refuse(schema.CodeKeyUnusable, "%s expired at %s; make a new version with: az keyvault key rotate --id %s", key.KID, date, key.KID)
	}
	return nil
}

// OpsWith lists what key_ops must hold for operation to be allowed besides
// what is allowed now, as arguments of az's --ops, which replaces the whole
// list. Where the vault has not said what is allowed now, it is operation and
// its counterpart.
func OpsWith(key Key, operation schema.Operation) string {
	allowed := key.Operations
	if allowed == nil {
		allowed = []string{string(counterpart(operation))}
	}
	var ops []string
	for _, o := range schema.Operations() {
		if o == operation || slices.Contains(allowed, string(o)) {
			ops = append(ops, string(o))
		}
	}
	for _, o := range allowed {
		if !slices.Contains(ops, o) {
			ops = append(ops, o)
		}
	}
	return strings.Join(ops, " ")
}

// counterpart is the operation that undoes or checks another.
func counterpart(operation schema.Operation) schema.Operation {
	switch operation {
	case schema.Sign:
		return schema.Verify
	case schema.Verify:
		return schema.Sign
	case schema.Encrypt:
		return schema.Decrypt
	case schema.Decrypt:
		return schema.Encrypt
	case schema.WrapKey:
		return schema.UnwrapKey
	case schema.UnwrapKey:
		return schema.WrapKey
	}
	return operation
}

// refuse is a failure of a check that was made here.
func refuse(code schema.Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
