package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/signer/keyvault"
)

func newKeysShow(o *keysOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME[/VERSION]",
		Short: "Show a key",
		Long: `Shows one version of a key, the latest unless another is named. The vault does
not show a version that is disabled; versions lists it.`,
		Example: "  signmill keys show invoices\n  signmill keys show invoices/0123456789abcdef0123456789abcdef --json",
		Args:    oneArg("NAME[/VERSION]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			key := parseKeyArg(args[0])
			return o.with(cmd, func(ctx context.Context, v *keyvault.Vault) error {
				info, err := v.Get(ctx, key.Name, key.Version)
				if err != nil {
					return err
				}
				return o.tell("key", info)
			})
		},
	}
}
