package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/signer/keyvault"
)

const keysRotateHelp = `Makes a new version of a key, with the type and size of the one before. It is the
latest from then on; older versions still verify, decrypt and unwrap. A worker
follows within five minutes.

rotation-policy lets the vault do it by itself.`

func newKeysRotate(o *keysOptions) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:     "rotate NAME",
		Short:   "Make a new version of a key",
		Long:    keysRotateHelp,
		Example: "  signmill keys rotate invoices",
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := parseKeyName(args[0])
			if err != nil {
				return err
			}
			if dry {
				return o.dry(intent{Verb: "rotate", What: name})
			}
			return o.with(cmd, func(ctx context.Context, v *keyvault.Vault) error {
				info, err := v.Rotate(ctx, name)
				if err != nil {
					return err
				}
				return o.tell("rotated to", info)
			})
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would be sent, and send nothing")
	return cmd
}
