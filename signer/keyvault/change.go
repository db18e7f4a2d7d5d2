package keyvault

import (
	"context"
	"errors"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
)

// Change is what [Vault.Update] sets. What is nil stays as it is; a date that
// is set cannot be taken away again.
type Change struct {
	Enabled       *bool
	NotBefore     *time.Time
	Expires       *time.Time
	Operations    []string          // replaces all; empty but not nil: none
	Tags          map[string]string // replaces all; empty but not nil: none
	ReleasePolicy *ReleasePolicy
}

// Check returns one error that lists what cannot be right whatever the vault
// says, or nil.
func (c Change) Check() error {
	faults := []error{checkOperations(c.Operations), checkTags(c.Tags), checkDates(value(c.NotBefore), value(c.Expires))}
	if c.Enabled == nil && c.NotBefore == nil && c.Expires == nil && c.Operations == nil && c.Tags == nil && c.ReleasePolicy == nil {
		faults = append(faults, errors.New("nothing is to be changed"))
	}
	return errors.Join(faults...)
}

// Update changes one version of a key, the latest when version is empty, and
// returns it as it is now. It needs the permission keys/update/action.
func (v *Vault) Update(ctx context.Context, name, version string, change Change) (KeyInfo, error) {
	if err := change.Check(); err != nil {
		return KeyInfo{}, invalid("update: %v", err)
	}
	id, err := v.key(name, version)
	if err != nil {
		return KeyInfo{}, err
	}
	parameters := azkeys.UpdateKeyParameters{
		KeyAttributes: &azkeys.KeyAttributes{Enabled: change.Enabled, NotBefore: change.NotBefore, Expires: change.Expires},
		KeyOps:        sdkOperations(change.Operations),
		ReleasePolicy: change.ReleasePolicy.sdk(),
		Tags:          sdkTags(change.Tags),
	}
	defer v.client.keys.forget(id)
	return v.version(ctx, "update", id, v.ask, func(ctx context.Context) (azkeys.KeyBundle, error) {
		answer, err := v.sdk.UpdateKey(ctx, id.name, id.version, parameters, nil)
		return answer.KeyBundle, err
	})
}
