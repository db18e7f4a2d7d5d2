package keyvault

import (
	"context"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
)

// Create makes a key, or, where the name is taken, its next version. It
// compares the key with what was asked: another type, size or curve is
// CodeIntegrity, and the key is there then. It needs the permission
// keys/create/action. When the answer is lost, Create does not repeat itself
// but fails with CodeUnavailable: the key may be there.
func (v *Vault) Create(ctx context.Context, spec KeySpec) (KeyInfo, error) {
	if err := spec.Check(); err != nil {
		return KeyInfo{}, invalid("create: %v", err)
	}
	spec = spec.filled(v.HSM())
	id, err := v.key(spec.Name, "")
	if err != nil {
		return KeyInfo{}, err
	}
	info, err := v.version(ctx, "create", id, v.askOnce, func(ctx context.Context) (azkeys.KeyBundle, error) {
		answer, err := v.sdk.CreateKey(ctx, spec.Name, spec.parameters(), nil)
		return answer.KeyBundle, err
	})
	v.client.keys.forget(id)
	if err == nil {
		err = v.compare(info, spec)
	}
	if err != nil {
		return KeyInfo{}, err
	}
	return info, nil
}

// filled puts the documented values in place of zeros, so that they are sent
// and not left to the vault.
func (s KeySpec) filled(managedHSM bool) KeySpec {
	s.HSM = s.HSM || managedHSM
	switch s.Type {
	case "RSA":
		orElse(&s.Size, 2048)
	case "oct":
		orElse(&s.Size, 256)
	case "EC":
		orElse(&s.Curve, "P-256")
	}
	return s
}

// kty is the key's type as the vault spells it.
func (s KeySpec) kty() string { return kty(s.Type, s.HSM) }

func kty(kind string, hsm bool) string {
	if hsm {
		return kind + "-HSM"
	}
	return kind
}

// sameType reports whether a key is of the type that was asked for. Hardware
// where none was asked for is no fault: a Managed HSM has nothing else.
func sameType(got, want string) bool { return got == want || got == want+"-HSM" }

func (s KeySpec) parameters() azkeys.CreateKeyParameters {
	p := azkeys.CreateKeyParameters{
		Kty:           new(azkeys.KeyType(s.kty())),
		KeyAttributes: s.attributes(),
		KeyOps:        sdkOperations(s.Operations),
		ReleasePolicy: s.ReleasePolicy.sdk(),
		Tags:          sdkTags(s.Tags),
	}
	if s.Size != 0 {
		p.KeySize = new(int32(s.Size))
	}
	if s.Curve != "" {
		p.Curve = new(azkeys.CurveName(s.Curve))
	}
	return p
}

// compare refuses a key that is not what was asked for. A vault does not tell
// the size of a symmetric key.
func (v *Vault) compare(got KeyInfo, want KeySpec) error {
	var faults []string
	if !sameType(got.Type, want.kty()) {
		faults = append(faults, fmt.Sprintf("its type is %s and not %s", got.Type, want.kty()))
	}
	if want.Type == "RSA" && got.Size != want.Size {
		faults = append(faults, fmt.Sprintf("it has %d bits and not %d", got.Size, want.Size))
	}
	if got.Curve != want.Curve {
		faults = append(faults, fmt.Sprintf("its curve is %q and not %q", got.Curve, want.Curve))
	}
	if len(faults) == 0 {
		return nil
	}
	id, err := v.key(got.Name, got.Version)
	if err != nil {
		return err
	}
	return v.wrong(id, "the new key is not what was asked for: "+strings.Join(faults, ", "))
}
