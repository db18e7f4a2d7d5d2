package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/signer/keyvault"
)

const keysPolicyHelp = `A rotation policy says when the vault makes new versions of a key by itself, and
when they expire. Lengths of time are in the form of ISO 8601: P90D is 90 days,
P18M 18 months, P2Y two years.`

const keysPolicySetHelp = `Replaces the rotation policy of a key. Without any flag the policy does nothing.

A version lives at least 28 days, and is rotated at the earliest 7 days after its
creation and at the latest 7 days before its expiry.`

func newKeysRotationPolicy(o *keysOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "rotation-policy",
		Short:   "Get or set when a key is rotated by itself",
		Long:    keysPolicyHelp,
		Example: "  signmill keys rotation-policy get invoices\n  signmill keys rotation-policy set invoices --rotate-after P18M --expires-after P2Y",
		Args:    unknownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKeysPolicyGet(o), newKeysPolicySet(o))
	return cmd
}

func newKeysPolicyGet(o *keysOptions) *cobra.Command {
	return &cobra.Command{
		Use:     "get NAME",
		Short:   "Show the rotation policy of a key",
		Long:    keysPolicyHelp,
		Example: "  signmill keys rotation-policy get invoices --json",
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd, func(ctx context.Context, v *keyvault.Vault) error {
				policy, err := v.RotationPolicy(ctx, args[0])
				if err != nil {
					return err
				}
				return o.tellPolicy(args[0], policy)
			})
		},
	}
}

func newKeysPolicySet(o *keysOptions) *cobra.Command {
	var policy keyvault.RotationPolicy
	var dry bool
	cmd := &cobra.Command{
		Use:     "set NAME",
		Short:   "Replace the rotation policy of a key",
		Long:    keysPolicySetHelp,
		Example: "  signmill keys rotation-policy set invoices --rotate-after P18M --expires-after P2Y\n  signmill keys rotation-policy set invoices --rotate-before-expiry P30D --expires-after P1Y",
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := policy.Check(); err != nil {
				return usageError(err)
			}
			if dry {
				return o.dry(intent{Verb: "set the rotation policy of", What: args[0], facts: []fact{{"policy", policy.String()}}})
			}
			return o.with(cmd, func(ctx context.Context, v *keyvault.Vault) error {
				now, err := v.SetRotationPolicy(ctx, args[0], policy)
				if err != nil {
					return err
				}
				return o.tellPolicy(args[0], now)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar((*string)(&policy.ExpiresAfter), "expires-after", "", "life of each new version")
	f.StringVar((*string)(&policy.RotateAfterCreate), "rotate-after", "", "rotate so long after a version was made")
	f.StringVar((*string)(&policy.RotateBeforeExpiry), "rotate-before-expiry", "", "rotate so long before a version expires")
	f.StringVar((*string)(&policy.NotifyBeforeExpiry), "notify-before-expiry", "", "raise the near-expiry event so long before a version expires")
	f.BoolVar(&dry, "dry-run", false, "say what would be sent, and send nothing")
	return cmd
}

// policyJSON is the form of a rotation policy on standard output.
type policyJSON struct {
	Key                string          `json:"key"`
	ExpiresAfter       keyvault.Period `json:"expiresAfter,omitempty"`
	RotateAfter        keyvault.Period `json:"rotateAfter,omitempty"`
	RotateBeforeExpiry keyvault.Period `json:"rotateBeforeExpiry,omitempty"`
	NotifyBeforeExpiry keyvault.Period `json:"notifyBeforeExpiry,omitempty"`
	Created            time.Time       `json:"created,omitzero"`
	Updated            time.Time       `json:"updated,omitzero"`
}

func (o *keysOptions) tellPolicy(name string, p keyvault.RotationPolicy) error {
	if o.json {
		return jsonLine(o.out, policyJSON{name, p.ExpiresAfter, p.RotateAfterCreate, p.RotateBeforeExpiry, p.NotifyBeforeExpiry, p.Created.UTC(), p.Updated.UTC()})
	}
	t := display.NewTable(o.out)
	t.Fact("key", name)
	t.Fact("policy", p.String())
	t.Fact("created", display.Time(p.Created))
	t.Fact("updated", display.Time(p.Updated))
	return t.Close()
}
