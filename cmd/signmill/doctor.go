package main

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/signer/keyvault"
)

const doctorHelp = `Checks a deployment: takes the flags of worker, and tries in turn names, networks,
tokens, the share of the quota, keys, rights and the settings of the queues. It
signs nothing, sends and takes no message, and changes nothing. In a store of
--share it leaves a record of its own, which expires in an hour.

Each check is one line: ✓ is well, ! is a warning, ✗ is a problem and has its
cure in the next line, and - was not tried and says why. Exit code 3 means that
there is a problem; warnings are none.

The right to use a key is found out by asking for what cannot be done, such as
signing a digest of one byte: a vault that refuses the value has accepted the
caller. Settings of queues need the right to manage them, which a worker should
not have; run doctor as a person with that right to see them, too.`

const doctorExamples = `  signmill doctor --namespace example.servicebus.windows.net \
      --vault https://example.vault.azure.net --allow-key invoices

  # as the worker's own identity, for a program to read
  signmill doctor --auth workload-identity --allow-key invoices --json`

// doctorOptions are the flags of doctor.
type doctorOptions struct {
	worker  workerOptions
	timeout time.Duration
	json    bool
}

func newDoctor(s streams) *cobra.Command {
	var o doctorOptions
	cmd := &cobra.Command{
		Use:     "doctor",
		Short:   "Check a worker's deployment",
		Long:    doctorHelp,
		Example: doctorExamples,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := newLog(cmd, slog.LevelError)
			if err != nil {
				return err
			}
			if err := o.worker.exclude(cmd.Flags()); err != nil {
				return err
			}
			return o.run(cmd.Context(), s, log)
		},
	}
	o.worker.azure.add(cmd)
	o.worker.add(cmd.Flags())
	cmd.Flags().DurationVar(&o.timeout, "timeout", 30*time.Second, "time for all checks")
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object for each check")
	return cmd
}

// run checks, and sums up in the exit code.
func (o doctorOptions) run(ctx context.Context, s streams, log *slog.Logger) error {
	if o.timeout <= 0 {
		return usagef("--timeout must be more than nothing")
	}
	b, err := o.worker.backend(log)
	if err != nil {
		return err
	}
	c := &chart{out: s.out, json: o.json}
	v, err := o.open(b, c, log)
	if err != nil {
		return err
	}
	defer v.close()
	v.chain.follow()
	st, stop := onInterrupt(ctx, func() {})
	defer stop()
	within, cancel := context.WithTimeout(st.Soft, o.timeout)
	defer cancel()
	v.examine(within)
	if st.Soft.Err() != nil {
		return &exit{code: exitInterrupted}
	}
	return c.close()
}

// visit is one examination.
type visit struct {
	options doctorOptions
	backend
	*chart
	vault *keyvault.Client
	post  *post // the worker as it would be; it does not run
	chain *chain
	among string        // the vault's name, where there are others; owned by examine
	calls int           // to the vault that are left
	lock  time.Duration // of the job queue; 0: not known
}

// Bounds of a visit.
const (
	stepTimeout = 10 * time.Second
	mostCalls   = 20 // to the vault, which has a quota for others
)

// open makes a worker on the backend, so that what it would refuse is refused
// here, and lets its clients fail sooner than a worker's would.
func (o doctorOptions) open(b backend, c *chart, log *slog.Logger) (*visit, error) {
	b.Vault.Retry = keyvault.Retry{Attempts: 2, Base: 200 * time.Millisecond, Timeout: stepTimeout / 2}
	b.Bus.Retry = servicebus.Retry{Attempts: 1}
	o.worker.audit.path = "" // a running worker may be writing there
	o.worker.alone = true
	p, err := o.worker.open(b, log)
	if err != nil {
		return nil, err
	}
	return &visit{options: o, backend: b, chart: c, vault: p.vault, post: p, chain: &chain{}, calls: mostCalls}, nil
}

func (v *visit) close() { v.post.close() }

// examine makes all checks in order. What stands in the way of later ones
// makes them dashes.
func (v *visit) examine(ctx context.Context) {
	reached := map[string]bool{}
	f := v.post.rules.now.Load()
	for _, name := range slices.Sorted(maps.Keys(f.Vaults)) {
		v.VaultURL = f.Vaults[name].URL
		if v.among = ""; len(f.Vaults) > 1 {
			v.among = " " + name
		}
		if reached[name] = v.reachVault(ctx); reached[name] {
			reached[name] = v.vaultToken(ctx)
		} else {
			v.note("token", "vault", skip("the vault cannot be reached"))
		}
		v.share(ctx, f.Vaults[name])
	}
	bus := v.reachBus(ctx)
	if bus {
		bus = v.busToken(ctx)
	} else {
		v.note("token", "namespace", skip("the namespace cannot be reached"))
	}
	v.keys(ctx, reached)
	v.queues(ctx, bus)
}

// note takes a verdict down. One about a vault names it, where there are others.
func (v *visit) note(check, subject string, found verdict) {
	if subject == "vault" {
		subject += v.among
	}
	v.chart.note(check, subject, found)
}

// try makes one check, bounded in time, and reports whether nothing stands in
// the way of those that build on it.
func (v *visit) try(ctx context.Context, check, subject string, do func(context.Context) verdict) bool {
	if ctx.Err() != nil {
		v.note(check, subject, v.late())
		return false
	}
	step, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	found := do(step)
	v.note(check, subject, found)
	return found.result != resultProblem
}
