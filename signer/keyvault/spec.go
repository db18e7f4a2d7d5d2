package keyvault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer"
)

// Settings are what a new key has besides its material. The zero value is an
// enabled key without limits, with the vault's own choice of operations.
type Settings struct {
	Operations    []string // key_ops, see [Operations]; nil: the vault's choice for the type
	Disabled      bool
	NotBefore     time.Time         // zero: no limit; whole seconds
	Expires       time.Time         // zero: no limit; whole seconds
	Tags          map[string]string // at most 15, of 256 characters each
	Exportable    bool              // needs a release policy and hardware
	ReleasePolicy *ReleasePolicy    // nil: none
}

// KeySpec says which key [Vault.Create] makes.
type KeySpec struct {
	Settings
	Name  string // 1 to 127 letters, digits and hyphens
	Type  string // RSA, EC or oct
	HSM   bool   // the private half lives in hardware; implied in a Managed HSM
	Size  int    // bits: RSA 2048 (zero), 3072 or 4096; oct 128, 192 or 256 (zero); EC none
	Curve string // P-256 (""), P-384, P-521 or P-256K; EC only
}

// KeyTypes returns the types that [KeySpec] takes.
func KeyTypes() []string { return []string{"RSA", "EC", "oct"} }

// Curves returns the curves that [KeySpec] takes.
func Curves() []string { return []string{"P-256", "P-384", "P-521", "P-256K"} }

// Operations returns what a key may be allowed to do.
func Operations() []string {
	return []string{"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "import", "export", "deriveKey"}
}

// Check returns one error that lists what cannot be right whatever the vault
// says, or nil.
func (s KeySpec) Check() error {
	faults := s.faults(s.Name)
	switch s.Type {
	case "RSA":
		faults = append(faults, oneOf("size of an RSA key", s.Size, 0, 2048, 3072, 4096), none("curve", s.Curve))
	case "oct":
		faults = append(faults, oneOf("size of a symmetric key", s.Size, 0, 128, 192, 256), none("curve", s.Curve))
	case "EC":
		if s.Size != 0 {
			faults = append(faults, errors.New("the size of an EC key is that of its curve"))
		}
		if s.Curve != "" && !slices.Contains(Curves(), s.Curve) {
			faults = append(faults, fmt.Errorf("curve %q: use one of %s", s.Curve, strings.Join(Curves(), ", ")))
		}
	default:
		faults = append(faults, fmt.Errorf("key type %q: use one of %s", s.Type, strings.Join(KeyTypes(), ", ")))
	}
	return errors.Join(faults...)
}

// faults lists what is wrong with the settings of a key.
func (s Settings) faults(name string) []error {
	faults := []error{checkName(name), checkOperations(s.Operations), checkTags(s.Tags), checkDates(s.NotBefore, s.Expires)}
	if s.Exportable != (s.ReleasePolicy != nil) {
		faults = append(faults, errors.New("an exportable key needs a release policy, and a release policy an exportable key"))
	}
	return faults
}

func checkName(name string) error {
	if !signer.ValidName(name) {
		return fmt.Errorf("%q is not the name of a key: 1 to 127 letters, digits and hyphens", clip(name, 200))
	}
	return nil
}

func checkOperations(operations []string) error {
	for _, op := range operations {
		if !slices.Contains(Operations(), op) {
			return fmt.Errorf("operation %q: use some of %s", op, strings.Join(Operations(), ", "))
		}
	}
	return nil
}

func checkTags(tags map[string]string) error {
	if len(tags) > 15 {
		return fmt.Errorf("%d tags are more than 15", len(tags))
	}
	for name, text := range tags {
		if name == "" || len(name) > 256 || len(text) > 256 {
			return fmt.Errorf("tag %q: a name has 1 to 256 characters, its value at most 256", clip(name, 40))
		}
	}
	return nil
}

func checkDates(notBefore, expires time.Time) error {
	if !notBefore.IsZero() && !expires.IsZero() && !notBefore.Before(expires) {
		return fmt.Errorf("the key would expire at %s, before it is valid", expires.UTC().Format(time.RFC3339))
	}
	return nil
}

func oneOf(what string, got int, allowed ...int) error {
	if slices.Contains(allowed, got) {
		return nil
	}
	return fmt.Errorf("%d is no %s: use one of %v", got, what, allowed[1:])
}

func none(what, text string) error {
	if text != "" {
		return fmt.Errorf("%s %q is for EC keys only", what, text)
	}
	return nil
}

// attributes is the SDK's form.
func (s Settings) attributes() *azkeys.KeyAttributes {
	a := &azkeys.KeyAttributes{Enabled: new(!s.Disabled), NotBefore: date(s.NotBefore), Expires: date(s.Expires)}
	if s.Exportable {
		a.Exportable = new(true)
	}
	return a
}

// date is nil for the zero time.
func date(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func sdkOperations(operations []string) []*azkeys.KeyOperation {
	if operations == nil {
		return nil
	}
	ops := make([]*azkeys.KeyOperation, 0, len(operations))
	for _, op := range operations {
		ops = append(ops, new(azkeys.KeyOperation(op)))
	}
	return ops
}

func sdkTags(tags map[string]string) map[string]*string {
	if tags == nil {
		return nil
	}
	pointers := make(map[string]*string, len(tags))
	for name, text := range tags {
		pointers[name] = &text
	}
	return pointers
}

func (p *ReleasePolicy) sdk() *azkeys.KeyReleasePolicy {
	if p == nil {
		return nil
	}
	policy := &azkeys.KeyReleasePolicy{EncodedPolicy: p.Policy, Immutable: &p.Immutable}
	if p.ContentType != "" {
		policy.ContentType = &p.ContentType
	}
	return policy
}
