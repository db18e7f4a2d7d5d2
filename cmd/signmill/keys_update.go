package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/signer/keyvault"
)

const keysUpdateHelp = `Changes one version of a key, the latest unless another is named. What no flag
names stays as it is. --ops and --tag replace all that was there; --no-tags takes
all tags away. A date can be moved but not taken away.`

const keysUpdateExamples = `  signmill keys update invoices --expires 2028-01-01
  signmill keys update invoices --tag team=billing --tag stage=live
  signmill keys update invoices/0123456789abcdef0123456789abcdef --ops verify`

type keysUpdate struct {
	*keysOptions
	operations []string
	notBefore  dateFlag
	expires    dateFlag
	tags       map[string]string
	noTags     bool
	dry        bool
}

func newKeysUpdate(o *keysOptions) *cobra.Command {
	c := &keysUpdate{keysOptions: o}
	cmd := &cobra.Command{
		Use:     "update NAME[/VERSION]",
		Short:   "Change dates, operations and tags",
		Long:    keysUpdateHelp,
		Example: keysUpdateExamples,
		Args:    oneArg("NAME[/VERSION]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.run(cmd, parseKeyArg(args[0]))
		},
	}
	f := cmd.Flags()
	addOperations(cmd, &c.operations, "what the key may do, separated by commas")
	f.Var(&c.notBefore, "not-before", "it signs, encrypts and wraps from then on only")
	f.Var(&c.expires, "expires", "it signs, encrypts and wraps until then only")
	f.StringToStringVar(&c.tags, "tag", nil, "a tag, as NAME=VALUE; may be repeated")
	f.BoolVar(&c.noTags, "no-tags", false, "take all tags away")
	f.BoolVar(&c.dry, "dry-run", false, "say what would be sent, and send nothing")
	return cmd
}

func (c *keysUpdate) run(cmd *cobra.Command, key keyArg) error {
	change := c.change()
	if c.noTags && len(c.tags) > 0 {
		return usagef("--tag and --no-tags exclude each other")
	}
	if err := change.Check(); err != nil {
		return usageError(err)
	}
	if c.dry {
		p := intent{Verb: "update", What: key.String()}
		p.add("operations", strings.Join(c.operations, ", "))
		p.add("notBefore", display.Time(c.notBefore.Time))
		p.add("expires", display.Time(c.expires.Time))
		if change.Tags != nil {
			p.facts = append(p.facts, fact{"tags", display.Tags(c.tags)})
		}
		return c.keysOptions.dry(p)
	}
	return c.with(cmd, func(ctx context.Context, v *keyvault.Vault) error {
		info, err := v.Update(ctx, key.Name, key.Version, change)
		if err != nil {
			return err
		}
		return c.tell("updated", info)
	})
}

// change holds what the flags name. No tags at all must be asked for in words.
func (c *keysUpdate) change() keyvault.Change {
	change := keyvault.Change{Operations: c.operations}
	switch {
	case c.noTags:
		change.Tags = map[string]string{}
	case len(c.tags) > 0:
		change.Tags = c.tags
	}
	if !c.notBefore.IsZero() {
		change.NotBefore = &c.notBefore.Time
	}
	if !c.expires.IsZero() {
		change.Expires = &c.expires.Time
	}
	return change
}
