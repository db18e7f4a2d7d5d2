package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/signer/keyvault"
)

func newKeysEnable(o *keysOptions) *cobra.Command {
	return newKeysSwitch(o, true, &cobra.Command{
		Use:   "enable NAME[/VERSION]",
		Short: "Let a key be used again",
		Long: `Lets a disabled version of a key be used again: the latest unless another is
named, or all with --all-versions.`,
		Example: "  signmill keys enable invoices",
	})
}

func newKeysDisable(o *keysOptions) *cobra.Command {
	return newKeysSwitch(o, false, &cobra.Command{
		Use:   "disable NAME[/VERSION]",
		Short: "Stop a key from being used",
		Long: `Stops a version of a key from being used for anything, even from being shown: the
latest unless another is named, or all with --all-versions. Nothing is lost;
enable takes it back. A worker follows within five minutes, and at once where
the vault refuses to sign.`,
		Example: "  signmill keys disable invoices --all-versions",
	})
}

// newKeysSwitch completes a command that enables or disables.
func newKeysSwitch(o *keysOptions, enable bool, cmd *cobra.Command) *cobra.Command {
	var all, dry bool
	verb := cmd.Name()
	cmd.Args = oneArg("NAME[/VERSION]")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		key := parseKeyArg(args[0])
		if all && key.Version != "" {
			return usagef("NAME/VERSION and --all-versions exclude each other")
		}
		if dry {
			p := intent{Verb: verb, What: key.String()}
			p.add("versions", map[bool]string{true: "all that are not so yet"}[all])
			return o.dry(p)
		}
		return o.with(cmd, func(ctx context.Context, v *keyvault.Vault) error {
			versions := []string{key.Version}
			if all {
				var err error
				if versions, err = versionsLacking(ctx, v, key.Name, enable); err != nil {
					return err
				}
			}
			return o.turn(ctx, v, key.Name, versions, enable, verb)
		})
	}
	cmd.Flags().BoolVar(&all, "all-versions", false, "all versions that are not so yet")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would be sent, and send nothing")
	return cmd
}

// turn enables or disables versions and shows each.
func (o *keysOptions) turn(ctx context.Context, v *keyvault.Vault, name string, versions []string, enable bool, verb string) error {
	for _, version := range versions {
		info, err := v.Update(ctx, name, version, keyvault.Change{Enabled: &enable})
		if err != nil {
			return err
		}
		if err := o.tell(verb+"d", info); err != nil {
			return err
		}
	}
	return nil
}

// versionsLacking returns the versions that are not enabled, or not disabled.
func versionsLacking(ctx context.Context, v *keyvault.Vault, name string, enabled bool) ([]string, error) {
	var versions []string
	for k, err := range v.Versions(ctx, name) {
		if err != nil {
			return nil, err
		}
		if k.Enabled != enabled {
			versions = append(versions, k.Version)
		}
	}
	return versions, nil
}
