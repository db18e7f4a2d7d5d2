package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/signer/keyvault"
)

func newKeysRecover(o *keysOptions) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "recover NAME",
		Short: "Bring a deleted key back",
		Long: `Brings a deleted key back with all its versions, as they were. It returns when the
key can be used.`,
		Example: "  signmill keys recover invoices",
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := parseKeyName(args[0])
			if err != nil {
				return err
			}
			if dry {
				return o.dry(intent{Verb: "recover", What: name})
			}
			return o.with(cmd, func(ctx context.Context, v *keyvault.Vault) error {
				info, err := v.Recover(ctx, name)
				if err != nil {
					return err
				}
				return o.tell("recovered", info)
			})
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would be sent, and send nothing")
	return cmd
}
