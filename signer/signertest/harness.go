package signertest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Harness is an implementation under test and the hands behind it.
type Harness struct {
	Keys signer.Keys // required

	// Create makes one version of a key and returns a reference to exactly
	// that version. It ends the test when that fails, and may skip it when
	// the implementation has no such keys. Required.
	Create func(t *testing.T, spec KeySpec) signer.Ref

	// Disable disables a version that may have been resolved before. nil:
	// the tests that need it are skipped.
	Disable func(t *testing.T, ref signer.Ref)

	// Forbidden is a key that exists and that the implementation's identity
	// may not use. The zero value: the test is skipped.
	Forbidden signer.Ref

	// Strays are the ways in which the vault is known to differ from Azure's.
	// nil: none.
	Strays []Stray
}

// KeySpec describes a version of a key to be made.
type KeySpec struct {
	Name      string // "": a new name; the name of an existing key: its next version
	Bits      int    // size of an RSA or symmetric key; zero for an EC key
	Curve     string // JWK name of an EC key's curve; "" for any other key
	Symmetric bool   // an AES and HMAC key, whose HSM is always set
	HSM       bool   // the private half lives in a hardware module

	Operations []string  // key_ops; nil: the implementation's default, which allows sign
	Disabled   bool      // made, but not enabled
	NotBefore  time.Time // zero: no limit
	Expires    time.Time // zero: no limit
}

// String names the kind of key, for instance "RSA-HSM 3072".
func (s KeySpec) String() string {
	kind, size := "RSA", fmt.Sprint(s.Bits)
	switch {
	case s.Symmetric:
		kind = "oct"
	case s.Bits == 0:
		kind, size = "EC", s.Curve
	}
	if s.HSM {
		kind += "-HSM"
	}
	return kind + " " + size
}

// fits reports whether a key of this kind suits algorithm, by the contract's
// own table.
func (s KeySpec) fits(algorithm schema.Algorithm) bool {
	if s.Symmetric != algorithm.Symmetric() || s.Curve != algorithm.Curve() {
		return false
	}
	return !s.Symmetric || algorithm.Family() == schema.HMAC || strings.HasPrefix(string(algorithm), fmt.Sprint("A", s.Bits))
}

// kinds lists every kind of key, in software and in hardware.
func kinds() []KeySpec {
	var all []KeySpec
	for _, hsm := range []bool{false, true} {
		for _, bits := range []int{2048, 3072, 4096} {
			all = append(all, KeySpec{Bits: bits, HSM: hsm})
		}
		for _, curve := range []string{"P-256", "P-384", "P-521", "P-256K"} {
			all = append(all, KeySpec{Curve: curve, HSM: hsm})
		}
	}
	for _, bits := range []int{128, 192, 256} {
		all = append(all, KeySpec{Bits: bits, Symmetric: true, HSM: true})
	}
	return all
}
