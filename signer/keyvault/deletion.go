package keyvault

import (
	"context"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Delete deletes a key with all its versions, and returns when the deletion
// is complete: from then on the key can be recovered and purged. Where the
// vault takes its time, Delete asks again until ctx ends; the key is being
// deleted all the same. It needs the permissions keys/delete and keys/read.
func (v *Vault) Delete(ctx context.Context, name string) (KeyInfo, error) {
	id, err := v.key(name, "")
	if err != nil {
		return KeyInfo{}, err
	}
	defer v.client.keys.forget(id)
	var info KeyInfo
	err = v.ask(ctx, "delete", id, again(func(ctx context.Context) error {
		answer, err := v.sdk.DeleteKey(ctx, id.name, nil)
		if err == nil {
			info, err = v.aboutDeleted(id, answer.DeletedKey)
		}
		return err
	}))
	if err != nil {
		return KeyInfo{}, err
	}
	there := func() (KeyInfo, error) {
		deleted, err := v.GetDeleted(ctx, name)
		if isCode(err, schema.CodeForbidden) && info.Name != "" {
			return info, nil // it may not be read, but the vault has said that it is deleted
		}
		return deleted, err
	}
	return settled(ctx, id, there, missing)
}

// GetDeleted returns a key that is deleted and can be recovered.
func (v *Vault) GetDeleted(ctx context.Context, name string) (info KeyInfo, err error) {
	id, err := v.key(name, "")
	if err != nil {
		return KeyInfo{}, err
	}
	err = v.ask(ctx, "get the deleted", id, func(ctx context.Context) error {
		answer, err := v.sdk.GetDeletedKey(ctx, id.name, nil)
		if err == nil {
			info, err = v.aboutDeleted(id, answer.DeletedKey)
		}
		return err
	})
	if err != nil {
		return KeyInfo{}, err
	}
	return info, nil
}

// Recover brings a deleted key back with all its versions, and returns when
// it can be used, or when ctx ends; it comes back all the same. It needs the
// permission keys/recover/action.
func (v *Vault) Recover(ctx context.Context, name string) (KeyInfo, error) {
	id, err := v.key(name, "")
	if err != nil {
		return KeyInfo{}, err
	}
	defer v.client.keys.forget(id)
	info, err := v.version(ctx, "recover", id, v.ask, func(ctx context.Context) (azkeys.KeyBundle, error) {
		answer, err := v.sdk.RecoverDeletedKey(ctx, id.name, nil)
		return answer.KeyBundle, err
	})
	if err != nil {
		return KeyInfo{}, err
	}
	back := func() (KeyInfo, error) {
		if _, err := v.Get(ctx, name, info.Version); isCode(err, schema.CodeKeyNotFound, schema.CodeUnavailable) {
			return KeyInfo{}, err
		}
		return info, nil // also when it may not be read: only that it is there counts
	}
	return settled(ctx, id, back, missing)
}

// purge names the task, whose refusals have a cure of their own.
const purge = "purge"

// Purge destroys a deleted key for good, and returns when its name is free,
// or when ctx ends; the key is lost all the same. It needs the permission
// keys/purge/action, and a vault without purge protection.
func (v *Vault) Purge(ctx context.Context, name string) error {
	id, err := v.key(name, "")
	if err != nil {
		return err
	}
	err = v.ask(ctx, purge, id, again(func(ctx context.Context) error {
		_, err := v.sdk.PurgeDeletedKey(ctx, id.name, nil)
		return err
	}))
	if err != nil {
		return err
	}
	gone := func() (KeyInfo, error) {
		_, err := v.GetDeleted(ctx, name)
		if err == nil {
			return KeyInfo{}, errStill
		}
		if isCode(err, schema.CodeUnavailable, schema.CodeThrottled) {
			return KeyInfo{}, err
		}
		return KeyInfo{}, nil // also when it may not be read
	}
	_, err = settled(ctx, id, gone, func(err error) bool { return errors.Is(err, errStill) })
	return err
}

func (v *Vault) aboutDeleted(id keyID, d azkeys.DeletedKey) (KeyInfo, error) {
	info, err := v.about(id, azkeys.KeyBundle{
		Attributes: d.Attributes, Key: d.Key, ReleasePolicy: d.ReleasePolicy, Tags: d.Tags, Managed: d.Managed,
	})
	info.Deletion = deletion(d.RecoveryID, d.DeletedDate, d.ScheduledPurgeDate)
	return info, err
}

// isCode reports whether err has one of the codes.
func isCode(err error, codes ...schema.Code) bool {
	if err == nil {
		return false
	}
	got := signer.AsError(err).Code
	for _, code := range codes {
		if got == code {
			return true
		}
	}
	return false
}

func missing(err error) bool { return isCode(err, schema.CodeKeyNotFound) }
