package keyvault

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
)

// Get returns one version of a key, the latest when version is empty. A
// version that is disabled is CodeKeyUnusable: only [Vault.Versions] tells of
// it. It asks the vault each time; for signing use [Client.Resolve].
func (v *Vault) Get(ctx context.Context, name, version string) (KeyInfo, error) {
	id, err := v.key(name, version)
	if err != nil {
		return KeyInfo{}, err
	}
	return v.version(ctx, "get", id, v.ask, func(ctx context.Context) (azkeys.KeyBundle, error) {
		answer, err := v.sdk.GetKey(ctx, id.name, id.version, nil)
		return answer.KeyBundle, err
	})
}

// asker is Vault.ask or Vault.askOnce.
type asker func(ctx context.Context, what string, id keyID, call func(context.Context) error) error

// version carries out an operation whose answer is one version of a key.
func (v *Vault) version(ctx context.Context, what string, id keyID, ask asker, call func(context.Context) (azkeys.KeyBundle, error)) (info KeyInfo, err error) {
	err = ask(ctx, what, id, func(ctx context.Context) error {
		bundle, err := call(ctx)
		if err == nil {
			info, err = v.about(id, bundle)
		}
		return err
	})
	if err != nil {
		return KeyInfo{}, err
	}
	return info, nil
}
