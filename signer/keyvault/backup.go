package keyvault

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/schema"
)

// maxBackup bounds the backup of a key: the service takes up to 500 versions.
const maxBackup = 32 << 20

// Backup returns a key with all its versions, encrypted by the vault: only a
// vault of the same subscription and geography, or an HSM of the same security
// domain, can restore it. Keep it as a secret all the same, because whoever
// may restore there has the key. It needs the permission keys/backup/action.
func (v *Vault) Backup(ctx context.Context, name string) (schema.Secret, error) {
	id, err := v.key(name, "")
	if err != nil {
		return nil, err
	}
	var blob []byte
	err = v.ask(withAnswerUpTo(ctx, maxBackup), "back up", id, func(ctx context.Context) error {
		answer, err := v.sdk.BackupKey(ctx, id.name, nil)
		if err == nil && len(answer.Value) == 0 {
			err = v.wrong(id, "the answer holds no backup")
		}
		blob = answer.Value
		return err
	})
	if err != nil {
		return nil, err
	}
	return blob, nil
}

// Restore brings back a key with all its versions from a backup, under its
// old name, which must be free, and returns the latest version. It needs the
// permission keys/restore/action. When the answer is lost, Restore does not
// repeat itself but fails with CodeUnavailable: the key may be there.
func (v *Vault) Restore(ctx context.Context, backup schema.Secret) (info KeyInfo, err error) {
	if len(backup) == 0 {
		return KeyInfo{}, invalid("restore: the backup is empty")
	}
	at := keyID{vault: v.at}
	err = v.askOnce(ctx, "restore to", at, func(ctx context.Context) error {
		answer, err := v.sdk.RestoreKey(ctx, azkeys.RestoreKeyParameters{KeyBackup: backup}, nil)
		if err != nil {
			return err
		}
		info, err = v.restored(answer.KeyBundle)
		return err
	})
	if err != nil {
		return KeyInfo{}, err
	}
	v.client.keys.forget(keyID{vault: v.at, name: info.Name})
	return info, nil
}

// restored reads the key that the vault has found in the backup.
func (v *Vault) restored(bundle azkeys.KeyBundle) (KeyInfo, error) {
	if bundle.Key == nil {
		return KeyInfo{}, v.wrong(keyID{vault: v.at}, "the answer holds no key")
	}
	id, err := v.own(strings.TrimSpace(string(value(bundle.Key.KID))))
	if err != nil {
		return KeyInfo{}, err
	}
	return v.about(id, bundle)
}
