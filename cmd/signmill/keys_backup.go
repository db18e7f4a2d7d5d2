package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/files"
	"github.com/signmill/signmill/signer/keyvault"
)

const keysBackupHelp = `Writes a key with all its versions to a file that only its owner may read, by
default NAME.keybackup. An existing file is not overwritten without --force.

The vault encrypts the backup: it can be restored only to a vault in the same
subscription and geography, or to an HSM of the same security domain. Keep it as
a secret all the same.`

const keysRestoreHelp = `Brings back a key with all its versions from a file that backup has written, under
its old name. The name must be free: no such key, and none deleted.`

// maxBackupFile is what the vault gives out at most.
const maxBackupFile = 32 << 20

func newKeysBackup(o *keysOptions) *cobra.Command {
	var out string
	var force bool
	cmd := &cobra.Command{
		Use:     "backup NAME",
		Short:   "Write a key with all its versions to a file",
		Long:    keysBackupHelp,
		Example: "  signmill keys backup invoices --out invoices-2027.keybackup",
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := parseKeyName(args[0])
			if err != nil {
				return err
			}
			file := out
			if file == "" {
				file = name + ".keybackup"
			}
			return o.backup(cmd, name, file, force)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "the file (default NAME.keybackup)")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite the file")
	unbind(cmd.Flags(), "out")
	return cmd
}

func (o *keysOptions) backup(cmd *cobra.Command, name, file string, force bool) error {
	if err := files.Free(file, force); err != nil {
		return err
	}
	return o.with(cmd, func(ctx context.Context, v *keyvault.Vault) error {
		blob, err := v.Backup(ctx, name)
		if err != nil {
			return err
		}
		if err := files.WriteSecret(file, blob, force); err != nil {
			return err
		}
		if o.json {
			return jsonLine(o.out, map[string]any{"name": name, "file": file, "bytes": len(blob)})
		}
		_, err = fmt.Fprintf(o.out, "backed up %s to %s, %d bytes\n", name, file, len(blob))
		return err
	})
}

func newKeysRestore(o *keysOptions) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:     "restore FILE",
		Short:   "Bring a key back from a backup",
		Long:    keysRestoreHelp,
		Example: "  signmill keys restore invoices.keybackup",
		Args:    oneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			blob, err := o.readFile(args[0], maxBackupFile)
			if err != nil {
				return err
			}
			if dry {
				return o.dry(intent{Verb: "restore", What: args[0], facts: []fact{{"size", fmt.Sprintf("%d bytes", len(blob))}}})
			}
			return o.with(cmd, func(ctx context.Context, v *keyvault.Vault) error {
				info, err := v.Restore(ctx, blob)
				if err != nil {
					return err
				}
				return o.tell("restored", info)
			})
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "read FILE and say what would be sent, and send nothing")
	return cmd
}
