package signertest

import (
	"slices"

	"github.com/signmill/signmill/schema"
)

// Stray is a way in which a vault other than Azure's is known to answer
// differently. It loosens nothing: the suite then wants that answer and no
// other, so that a vault that has mended its way fails until the name is taken
// off the list.
type Stray string

// The ways that are known.
const (
	// SilentDisabled refuses a disabled key with 403 and without the inner
	// code KeyDisabled, so that it looks as if a role were missing.
	SilentDisabled Stray = "silent-disabled"

	// FailingDisabled answers 404 to a request for a disabled key, and 500 to
	// its use.
	FailingDisabled Stray = "failing-disabled"

	// FailingDamaged answers 500 to a ciphertext that cannot be decrypted.
	FailingDamaged Stray = "failing-damaged"

	// PairedOps answers 500 to decrypt and to unwrapKey where key_ops have
	// only one of both.
	PairedOps Stray = "paired-ops"

	// StrictDates refuses decrypt and unwrapKey outside a key's dates, which
	// Azure allows, with 403 and no inner code.
	StrictDates Stray = "strict-dates"
)

// Strays lists all ways that are known.
func Strays() []Stray {
	return []Stray{SilentDisabled, FailingDisabled, FailingDamaged, PairedOps, StrictDates}
}

// strays reports whether the vault has a way.
func (h Harness) strays(way Stray) bool { return slices.Contains(h.Strays, way) }

// otherwise returns stray where the vault has a way, and else right.
func (h Harness) otherwise(way Stray, stray, right schema.Code) schema.Code {
	if h.strays(way) {
		return stray
	}
	return right
}
