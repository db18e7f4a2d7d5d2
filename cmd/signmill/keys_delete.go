package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/signer/keyvault"
)

const keysDeleteHelp = `Deletes a key with all its versions. Nothing can be signed, decrypted or unwrapped
with it any more. It can be recovered until the vault's days are over, which
list-deleted tells, or until it is purged; its name is taken for so long.

It returns when the deletion is complete, so that purge can follow at once.`

const keysPurgeHelp = `Destroys a deleted key for good. What was encrypted with it is lost. A vault with
purge protection refuses, and then only time helps.

It returns when the name is free again.`

// keysEnd is a command that destroys.
type keysEnd struct {
	*keysOptions
	yes, dry    bool
	consequence string
	do          func(ctx context.Context, v *keyvault.Vault, name string) error
}

func newKeysDelete(o *keysOptions) *cobra.Command {
	return newKeysEnd(&cobra.Command{
		Use:     "delete NAME",
		Short:   "Delete a key with all its versions",
		Long:    keysDeleteHelp,
		Example: "  signmill keys delete invoices\n  signmill keys delete invoices --yes",
	}, &keysEnd{
		keysOptions: o,
		consequence: "all its versions stop working; it can be recovered for a while",
		do: func(ctx context.Context, v *keyvault.Vault, name string) error {
			info, err := v.Delete(ctx, name)
			if err != nil {
				return err
			}
			return o.tell("deleted", info)
		},
	})
}

func newKeysPurge(o *keysOptions) *cobra.Command {
	return newKeysEnd(&cobra.Command{
		Use:     "purge NAME",
		Short:   "Destroy a deleted key for good",
		Long:    keysPurgeHelp,
		Example: "  signmill keys purge invoices\n  signmill keys delete invoices --yes && signmill keys purge invoices --yes",
	}, &keysEnd{
		keysOptions: o,
		consequence: "it is lost for good, and what was encrypted with it, too",
		do: func(ctx context.Context, v *keyvault.Vault, name string) error {
			if err := v.Purge(ctx, name); err != nil {
				return err
			}
			return o.done("purged", name)
		},
	})
}

// newKeysEnd completes a command that destroys.
func newKeysEnd(cmd *cobra.Command, c *keysEnd) *cobra.Command {
	cmd.Args = oneArg("NAME")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0]) }
	f := cmd.Flags()
	f.BoolVar(&c.yes, "yes", false, "do not ask")
	f.BoolVar(&c.dry, "dry-run", false, "say what would be sent, and send nothing")
	unbind(f, "yes")
	return cmd
}

func (c *keysEnd) run(cmd *cobra.Command, arg string) error {
	name, err := parseKeyName(arg)
	if err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	if c.dry {
		return c.keysOptions.dry(intent{Verb: cmd.Name(), What: name})
	}
	if err := c.confirm(c.yes, cmd.Name(), name, c.consequence); err != nil {
		return err
	}
	return c.with(cmd, func(ctx context.Context, v *keyvault.Vault) error { return c.do(ctx, v, name) })
}

// done says what was done to a key of which there is nothing more to tell.
func (o *keysOptions) done(what, name string) error {
	if o.json {
		return jsonLine(o.out, map[string]string{"name": name, "status": what})
	}
	t := display.NewTable(o.out)
	t.Fact(what, name)
	return t.Close()
}

// confirm lets a person at a terminal type the key's name before something is
// destroyed. Elsewhere nobody can be asked, and --yes must have said it.
func (o *keysOptions) confirm(yes bool, verb, name, consequence string) error {
	if yes {
		return nil
	}
	if !o.isPerson() {
		return usagef("%s %s: %s; nobody can be asked here, so say --yes", verb, name, consequence)
	}
	question := fmt.Sprintf("%s %s in %s: %s.\nType the name of the key to go on: ", verb, name, o.vault, consequence)
	return o.typed(question, name, "nothing was done")
}
