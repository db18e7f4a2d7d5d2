package main

import (
	"context"
	"iter"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/signer/keyvault"
)

func newKeysList(o *keysOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the keys",
		Long: `Lists the keys of the vault, without their versions, which versions lists. A list
does not tell the types of keys; show does.`,
		Example: "  signmill keys list --vault https://example.vault.azure.net\n  signmill keys list --json | jq -r .name",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.with(cmd, func(ctx context.Context, v *keyvault.Vault) error {
				return o.list(v.List(ctx), []string{"NAME", "ENABLED", "CREATED", "EXPIRES", "TAGS"}, func(k keyvault.KeyInfo) []string {
					return []string{k.Name, display.YesNo(k.Enabled), display.Time(k.Created), display.Time(k.Expires), display.Tags(k.Tags)}
				})
			})
		},
	}
}

func newKeysVersions(o *keysOptions) *cobra.Command {
	return &cobra.Command{
		Use:     "versions NAME",
		Short:   "List the versions of a key",
		Long:    "Lists the versions of a key, disabled ones included, in the vault's order.",
		Example: "  signmill keys versions invoices",
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := parseKeyName(args[0])
			if err != nil {
				return err
			}
			return o.with(cmd, func(ctx context.Context, v *keyvault.Vault) error {
				return o.list(v.Versions(ctx, name), []string{"VERSION", "ENABLED", "CREATED", "NOT BEFORE", "EXPIRES", "TAGS"}, func(k keyvault.KeyInfo) []string {
					return []string{k.Version, display.YesNo(k.Enabled), display.Time(k.Created), display.Time(k.NotBefore), display.Time(k.Expires), display.Tags(k.Tags)}
				})
			})
		},
	}
}

func newKeysListDeleted(o *keysOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "list-deleted",
		Short: "List the deleted keys that can be recovered",
		Long: `Lists the keys that are deleted and can be recovered, and when each is lost for
good. Until then, or until it is purged, its name is not free.`,
		Example: "  signmill keys list-deleted",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.with(cmd, func(ctx context.Context, v *keyvault.Vault) error {
				return o.list(v.Deleted(ctx), []string{"NAME", "DELETED", "LOST FOR GOOD", "TAGS"}, func(k keyvault.KeyInfo) []string {
					return []string{k.Name, display.Time(k.Deletion.Deleted), display.Time(k.Deletion.Purge), display.Tags(k.Tags)}
				})
			})
		},
	}
}

// list prints keys as they come with --json, else as a table. What came
// before an error is printed, too.
func (o *keysOptions) list(keys iter.Seq2[keyvault.KeyInfo, error], header []string, cells func(keyvault.KeyInfo) []string) error {
	t := display.NewTable(o.out, header...)
	if o.json {
		t = display.NewTable(o.err) // has no row, so nothing is written
	}
	for k, err := range keys {
		switch {
		case err != nil:
			t.Close() //nolint:errcheck // the error that ended the list is told
			return err
		case !o.json:
			t.Row(cells(k)...)
		default:
			if err := jsonLine(o.out, newKeyJSON(k)); err != nil {
				return err
			}
		}
	}
	return t.Close()
}
