package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/probe"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/quota"
)

func newQuota(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "quota",
		Short:   "Find out what a vault allows",
		Long:    "Finds out what a vault allows, where the documentation is silent.",
		Example: "  signmill quota probe --help",
		Args:    unknownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newQuotaProbe(s))
	return cmd
}

const probeHelp = `Measures how a real vault counts: how many units it accepts in 10 seconds, when
it accepts calls again, whether refused calls count, and which --quota to give
to workers. None of this is documented.

It uses the quota up on purpose. It sends 1.2 times --quota as fast as it can,
then four calls a second for --watch, and sends nothing twice. All who use the
vault are refused meanwhile. Each call is an operation that the vendor bills.
Therefore it asks for the vault's name at a terminal; elsewhere it needs --yes.

It signs digests of random bytes and throws the signatures away. --get reads the
key instead, which costs the vault as much and leaves no signature in its log.

A vault that counts in windows of its own is best probed twice: a window that
happens to begin in the burst looks like one that slides. Exit code 3 means that
the answers do not show how the vault counts.`

const probeExamples = `  signmill quota probe --vault https://example.vault.azure.net --key invoices
  signmill quota probe --vault https://example.vault.azure.net --key invoices --get --yes --json

  # try it on this machine
  signmill local --quota 400 --env-file local.env &
  . ./local.env
  signmill quota probe --key signmill --quota 400 --yes`

// quotaProbe is the command that measures a vault.
type quotaProbe struct {
	keysOptions
	key   string
	quota int
	watch time.Duration
	get   bool
	yes   bool
}

func newQuotaProbe(s streams) *cobra.Command {
	c := &quotaProbe{keysOptions: keysOptions{streams: s}}
	c.patience.retry = keyvault.Retry{Attempts: 1, Timeout: 10 * time.Second}
	cmd := &cobra.Command{
		Use:     "probe",
		Short:   "Measure how a vault counts, and what it allows",
		Long:    probeHelp,
		Example: probeExamples,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&c.vault, "vault", "", "`URL` of the vault, such as https://example.vault.azure.net")
	f.StringVar(&c.key, "key", "", "the key to call with, as NAME or NAME/VERSION")
	f.IntVar(&c.quota, "quota", int(quota.KeyUnits), "what the vault is believed to allow in 10 s, in `UNITS` of one RSA-2048 or EC operation with a software key")
	f.BoolVar(&c.get, "get", false, "read the key instead of signing with it")
	f.IntVar(&c.patience.concurrency, "concurrency", 256, "calls of the burst under way at once, and no more than an eighth of them")
	f.DurationVar(&c.watch, "watch", 30*time.Second, "time to look on after the burst")
	f.BoolVar(&c.yes, "yes", false, "do not ask")
	c.identity.add(cmd, f)
	f.DurationVar(&c.timeout, "timeout", 3*time.Minute, "time for the whole probe")
	f.BoolVar(&c.json, "json", false, "print one JSON object")
	unbind(f, "key", "yes")
	completePlain(cmd)
	return cmd
}

func (c *quotaProbe) run(cmd *cobra.Command) error {
	if err := c.checkProbe(); err != nil {
		return err
	}
	info, err := c.look(cmd)
	if err != nil {
		return err
	}
	p := c.prober(info)
	if err := c.consent(kindOf(info), p); err != nil {
		return err
	}
	var t probe.Trace
	err = c.withClient(cmd, func(ctx context.Context, client *keyvault.Client) (err error) {
		if p.Call, err = c.call(ctx, client, info); err == nil {
			t, err = p.Run(ctx)
		}
		return err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the probe did not end within %s: give it more --timeout: %w", c.timeout, err)
	}
	if err != nil {
		return err
	}
	return c.tellProbe(info, t)
}

func (c *quotaProbe) checkProbe() error {
	switch {
	case c.key == "":
		return usagef("--key is missing: the key to call with")
	case c.quota < 1 || c.quota > 1_000_000:
		return usagef("--quota %d: use 1 to 1000000", c.quota)
	case c.patience.concurrency < 1 || c.patience.concurrency > 4096:
		return usagef("--concurrency %d: use 1 to 4096", c.patience.concurrency)
	case c.watch < probe.Window:
		return usagef("--watch %s: a window has 10 s, and the probe must outlast it", c.watch)
	case c.timeout <= c.watch:
		return usagef("--timeout %s would end the probe before --watch %s is over, and the quota would be spent for nothing", c.timeout, c.watch)
	case strings.Contains(c.vault, ".managedhsm."):
		return usagef("a Managed HSM has no quota to measure")
	case c.vault != "" && !c.yes && !c.isPerson():
		return usagef("a probe uses up the quota of %s, and nobody can be asked here, so say --yes", c.vault)
	}
	return c.check()
}

// look reads the key, whose kind tells what calls cost.
func (c *quotaProbe) look(cmd *cobra.Command) (info keyvault.KeyInfo, err error) {
	key := parseKeyArg(c.key)
	err = c.with(cmd, func(ctx context.Context, v *keyvault.Vault) (err error) {
		info, err = v.Get(ctx, key.Name, key.Version)
		return err
	})
	if err == nil && !c.get && info.Public == nil {
		err = usagef("%s is a symmetric key, of which each signature takes two calls: give --get", c.key)
	}
	return info, err
}

// fewInFlight may be under way at once also in a short burst. In one of which most
// were, they would overtake each other all the way, and their order show nothing.
const fewInFlight = 8

// prober plans the calls.
func (c *quotaProbe) prober(info keyvault.KeyInfo) probe.Prober {
	p := probe.Plan(quota.Units(c.quota), quota.Costs(nil).Of(kindOf(info).Class), c.watch)
	p.Concurrency = min(c.patience.concurrency, max(fewInFlight, p.Burst/8))
	p.Say = func() { fmt.Fprintf(c.err, "signmill: the burst is over, looking on for %s\n", c.watch) }
	return p
}

// call returns what the probe does again and again. It asks once, so that
// connection and token are there when the burst begins.
func (c *quotaProbe) call(ctx context.Context, client *keyvault.Client, info keyvault.KeyInfo) (func(context.Context) error, error) {
	key, err := client.Resolve(ctx, signer.Ref{Vault: c.vault, Name: info.Name, Version: info.Version})
	if err != nil {
		return nil, err
	}
	if c.get {
		vault, err := client.Vault(c.vault)
		return func(ctx context.Context) error {
			_, err := vault.Get(ctx, info.Name, info.Version)
			return err
		}, err
	}
	for _, a := range schema.Sign.Algorithms() {
		if signer.Fits(key, a) == nil {
			return func(ctx context.Context) error {
				digest := make([]byte, a.Hash().Size())
				rand.Read(digest)
				_, err := client.Sign(ctx, key, a, digest)
				return err
			}, nil
		}
	}
	return nil, fmt.Errorf("no algorithm signs with %s: give --get", info.KID)
}
