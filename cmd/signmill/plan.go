package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/estimate"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/quota"
)

const planHelp = `Works out how long a campaign takes and what it costs, before it is started. It
asks nobody, unless --allow-key lets it look up a key's type with one call.

A vault allows all its users so many units in 10 seconds. One operation with a
software RSA-2048 or EC key is one unit; a larger RSA key costs up to 8, and a
key in hardware twice that. Whether the quota decides, or the number of
calls that the replicas can have in flight, is what plan tells. A Managed HSM
has no quota; there its hardware decides.

Verifying, encrypting and wrapping with an RSA or EC key needs no call: workers
do it with the public half. Prices are yours to give; none are built in.`

const planExamples = `  # a million signatures with one worker, and with four
  signmill plan --items 1000000 --key RSA-2048
  signmill plan --items 1000000 --key RSA-HSM-4096 --replicas 4

  # two kinds of keys, and what the calls cost at your price for 10,000
  signmill plan --load RSA-2048=200000 --load EC-HSM-P256=50000 \
      --price RSA-2048=0.05 --price EC-HSM-P256=0.20

  # the type of a key that exists, for a program to read
  signmill plan --items 5000 --vault https://example.vault.azure.net --allow-key invoices --json`

// planOptions are the flags of plan.
type planOptions struct {
	keysOptions // the vault, where a key is looked up
	items       int64
	kind        string
	loads       []string
	prices      []string
	operation   string
	quota       int
	allowKey    string
	effort      estimate.Effort
}

func newPlan(s streams) *cobra.Command {
	o := planOptions{keysOptions: keysOptions{streams: s}}
	cmd := &cobra.Command{
		Use:     "plan",
		Short:   "Tell how long a campaign takes and what it costs",
		Long:    planHelp,
		Example: planExamples,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	o.add(cmd)
	return cmd
}

func (o *planOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Int64Var(&o.items, "items", 0, "how many operations")
	f.StringVar(&o.kind, "key", "", "the `KIND` of the key, such as RSA-2048, RSA-HSM-4096, EC-P256 or oct-HSM")
	f.StringSliceVar(&o.loads, "load", nil, "instead of --items and --key, as KIND=N; may be repeated")
	f.StringVar(&o.operation, "operation", string(schema.Sign), "what is done: "+strings.Join(plannedOperations(), ", "))
	f.IntVar(&o.quota, "quota", int(quota.KeyUnits), "what the vault allows all replicas in 10 s, in `UNITS` of one RSA-2048 or EC operation with a software key")
	f.IntVar(&o.effort.Replicas, "replicas", 1, "workers that share the quota")
	f.DurationVar(&o.effort.Latency, "latency", 90*time.Millisecond, "time that one call takes")
	f.IntVar(&o.effort.Concurrency, "concurrency", 64, "calls under way at once in each worker")
	f.StringSliceVar(&o.prices, "price", nil, "what 10,000 operations with a kind of key cost, as KIND=AMOUNT; may be repeated")
	f.BoolVar(&o.effort.ManagedHSM, "managed-hsm", false, "the keys are in a Managed HSM, which has no quota")
	f.StringVar(&o.allowKey, "allow-key", "", "a key of --vault, as NAME or NAME/VERSION, to look up its type instead of --key")
	f.StringVar(&o.vault, "vault", "", "`URL` of the vault or Managed HSM, such as https://example.vault.azure.net")
	o.identity.add(cmd, f)
	f.DurationVar(&o.timeout, "timeout", time.Minute, "time for looking up the key")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	unbind(f, "key", "allow-key")
	completeFlag(cmd, "key", estimate.KindNames())
	completeFlag(cmd, "operation", plannedOperations())
	completeKinds(cmd, "load", "price")
}

// completeKinds offers the kinds of keys where a number follows.
func completeKinds(cmd *cobra.Command, flags ...string) {
	var begun []string
	for _, name := range estimate.KindNames() {
		begun = append(begun, name+"=")
	}
	for _, flag := range flags {
		register(cmd, flag, cobra.FixedCompletions(begun, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace))
	}
}

// plannedOperations are those that are done once for each item.
func plannedOperations() []string {
	return slices.DeleteFunc(operationNames(), func(o string) bool { return o == string(schema.GetPublicKey) })
}

func (o *planOptions) run(cmd *cobra.Command) error {
	if err := o.read(); err != nil {
		return err
	}
	if o.allowKey != "" {
		k, err := o.look(cmd)
		if err == nil {
			err = o.checkKind("--allow-key", k)
		}
		if err != nil {
			return err
		}
		o.effort.Loads = []estimate.Load{{Kind: k, Items: o.items}}
	}
	if err := o.readPrices(); err != nil {
		return err
	}
	return o.tellPlan(o.effort, o.effort.Estimate())
}

// look asks the vault for the key's type.
func (o *planOptions) look(cmd *cobra.Command) (estimate.Kind, error) {
	key := parseKeyArg(o.allowKey)
	var info keyvault.KeyInfo
	err := o.with(cmd, func(ctx context.Context, v *keyvault.Vault) (err error) {
		info, err = v.Get(ctx, key.Name, key.Version)
		return err
	})
	o.effort.ManagedHSM = o.effort.ManagedHSM || strings.Contains(o.vault, ".managedhsm.")
	return kindOf(info), err
}
