package keyvault

import (
	"context"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
)

// ImportSpec says which key [Vault.Import] puts in.
type ImportSpec struct {
	Settings
	Name     string // 1 to 127 letters, digits and hyphens
	Material Material
	HSM      bool // the key shall live in hardware; implied by a transfer blob and in a Managed HSM
}

// Check returns one error that lists what cannot be right whatever the vault
// says, or nil.
func (s ImportSpec) Check() error {
	faults := s.faults(s.Name)
	if s.Material.Type() == "" {
		faults = append(faults, errors.New("no key is given"))
	}
	return errors.Join(faults...)
}

// Import puts a key into the vault, or, where the name is taken, its next
// version. It compares type and public half with what was sent: a difference
// is CodeIntegrity, and the key is there then. It needs the permission
// keys/import/action. When the answer is lost, Import does not repeat itself
// but fails with CodeUnavailable: the key may be there.
func (v *Vault) Import(ctx context.Context, spec ImportSpec) (KeyInfo, error) {
	if err := spec.Check(); err != nil {
		return KeyInfo{}, invalid("import: %v", err)
	}
	id, err := v.key(spec.Name, "")
	if err != nil {
		return KeyInfo{}, err
	}
	spec.HSM = spec.HSM || v.HSM() || spec.Material.Transfer()
	defer v.client.keys.forget(id)
	info, err := v.version(ctx, "import", id, v.askOnce, func(ctx context.Context) (azkeys.KeyBundle, error) {
		answer, err := v.sdk.ImportKey(ctx, spec.Name, spec.parameters(), nil)
		return answer.KeyBundle, err
	})
	if err == nil {
		err = v.received(info, spec)
	}
	if err != nil {
		return KeyInfo{}, err
	}
	return info, nil
}

func (s ImportSpec) parameters() azkeys.ImportKeyParameters {
	jwk := s.Material.jwk
	jwk.Kty = new(azkeys.KeyType(kty(s.Material.Type(), s.HSM)))
	jwk.KeyOps = sdkOperations(s.Operations)
	p := azkeys.ImportKeyParameters{
		Key:           &jwk,
		KeyAttributes: s.attributes(),
		ReleasePolicy: s.ReleasePolicy.sdk(),
		Tags:          sdkTags(s.Tags),
	}
	if s.HSM {
		p.HSM = &s.HSM
	}
	return p
}

// received refuses a key that is not what was sent.
func (v *Vault) received(got KeyInfo, spec ImportSpec) error {
	id, err := v.key(got.Name, got.Version)
	if err != nil {
		return err
	}
	if want := kty(spec.Material.Type(), spec.HSM); !sameType(got.Type, want) {
		return v.wrong(id, "the imported key has type "+got.Type+" and not "+want)
	}
	if sent := spec.Material.public; sent != nil && !equal(sent, got.Public) {
		return v.wrong(id, "the vault shows another public key than that of the imported key")
	}
	return nil
}
