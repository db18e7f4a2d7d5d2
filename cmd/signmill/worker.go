package main

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/worker"
	"github.com/signmill/signmill/worker/policy"
)

const workerHelp = `Serves the job queue: takes jobs, does their operation with the keys of a vault,
and sends the results to the reply queue. Run as many as you like; the broker is the only
state.

Nothing may be done unless it is allowed: each key needs an --allow-key. A job
names a key by its alias, which is the key's name unless another is given:

  --allow-key invoices              the key invoices, latest version
  --allow-key invoices=in           the same under the alias in
  --allow-key invoices/VERSION=in   that version only

More than one vault, and rules for each key, take a file: --policy. The command
policy has an example and checks it. A changed file is taken while the worker runs,
and on SIGHUP; one that is wrong is not, and the log says why. Job queues, shares and
whether there is a budget for the subscription change with the next start.

Jobs may only sign, unless other operations are allowed with --allow-operation.
What the public half of a key can do (verify, encrypt and wrapKey with RSA) is
done here and costs the vault nothing.

Calls to the vault are paced, so that it need not refuse any: --quota is what it
allows all replicas together, and --share which part is this one's. Where it
refuses all the same, the worker believes in less, and climbs back.

  --share static:3                      one of three replicas
  --share dns:signmill.jobs.svc         as many as the headless service has
                                        addresses, 30 s old at most
  --share dns:signmill.jobs.svc,5s      the same, 5 s old at most
  --share rediss://store:6380           whatever a Redis or Valkey grants, which is
                                        fairest and exact; its password is in
                                        SIGNMILL_REDIS_PASSWORD

With --audit each operation is taken down before the vault is asked and before
its result is published, each refused job and each dead letter, too. What cannot be
taken down is not done: the worker drains and ends. audit verify finds changes.

Queues and keys are tried at the start. It fails when a queue or every key
cannot be used, and warns of a key that cannot be used while others can. The
command doctor takes the same flags, and says of everything what to do about it.

SIGTERM and Ctrl-C drain: no new jobs, those under way are finished within
--drain-timeout, those that have not begun and the rest go back to the queue. A
second one ends it at once.

A job that fails in a way that may pass is put off: a copy of it is sent to the job
queue, to come later. That takes the right to send there; without it the job is
given back at once, which raises its delivery count.`

const workerExamples = `  signmill worker --namespace example.servicebus.windows.net \
      --vault https://example.vault.azure.net --allow-key invoices

  # against the servers of: signmill local --env-file local.env
  . ./local.env && signmill worker --allow-key signmill`

// workerOptions are the flags of worker.
type workerOptions struct {
	azure      azureFlags
	jobs       string
	lanes      []string
	replies    string
	allowReply []string
	allowKey   []string

	allowOperation []string // empty: sign
	policy         string   // a file that says all that instead; "": none

	health      string   // where /livez, /readyz, /metrics and a page are served; "": nowhere
	exports     []string // where spans go when no variable says so
	traceQueue  string   // for spans; "": the reply queue
	traceParent string   // parent or link; "": parent

	audit    auditFlags
	budget   budgetFlags
	alone    bool          // pace as the only replica, whatever the share is
	grace    time.Duration // between SIGTERM and SIGKILL; 0: not known
	maxItems int
	config   worker.Config // the numbers
}

// Defaults of flags; the worker takes zero for the same.
const (
	defaultMaxDeliveries = 10
	defaultJobTimeout    = 5 * time.Minute
	defaultMaxAge        = 24 * time.Hour
)

func newWorker(s streams) *cobra.Command {
	o := workerOptions{audit: auditFlags{out: s.out}, exports: []string{exportServiceBus}}
	cmd := &cobra.Command{
		Use:     "worker",
		Short:   "Serve the job queue",
		Long:    workerHelp,
		Example: workerExamples,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := newLog(cmd, slog.LevelInfo)
			if err != nil {
				return err
			}
			if err := o.exclude(cmd.Flags()); err != nil {
				return err
			}
			return o.run(cmd.Context(), log)
		},
	}
	o.azure.add(cmd)
	o.add(cmd.Flags())
	return cmd
}

func (o *workerOptions) add(f *pflag.FlagSet) {
	f.StringVar(&o.jobs, "jobs", "jobs", "the job queue")
	f.StringArrayVar(&o.lanes, "lane", nil, "a further job queue with a part of its own of quota, places and intake, as `NAME=QUEUE[,WEIGHT]`, where the weight of --jobs is 1; may be repeated")
	f.StringVar(&o.replies, "replies", "replies", "the reply queue")
	f.StringSliceVar(&o.allowReply, "allow-reply", nil, "a further queue that a job may name in ReplyTo; may be repeated")
	f.StringSliceVar(&o.allowKey, "allow-key", nil, "a key that jobs may use, as NAME[/VERSION][=ALIAS]; may be repeated")
	f.StringSliceVar(&o.allowOperation, "allow-operation", []string{string(schema.Sign)}, "an `OPERATION` that jobs may ask for: "+strings.Join(operationNames(), ", ")+"; may be repeated")
	o.audit.add(f)
	f.StringVar(&o.policy, "policy", "", "a `FILE` with vaults, quotas, keys, producers and reply queues, instead of --vault, --allow-key, --allow-operation, --allow-reply and --replies")
	o.budget.add(f)
	f.StringVar(&o.health, "health", "", "`ADDRESS` where /livez, /readyz, /metrics and a page for people are served, such as :8080 (default nowhere)")
	f.StringVar(&o.traceQueue, "trace-queue", "", "the queue for traces (default the reply queue)")
	f.StringVar(&o.traceParent, "trace-parent", traceParent, "what a job's span does with its producer's: parent, be a part of that trace; link, begin a trace of its own")
	f.IntVar(&o.maxItems, "max-items", schema.DefaultMaxItems, "items in one job at most")
	f.IntVar(&o.config.Concurrency, "concurrency", 64, "items under way at once")
	f.IntVar(&o.config.JobsHeld, "jobs-held", 0, "jobs held at once (default twice --concurrency)")
	f.IntVar(&o.config.MaxDeliveries, "max-deliveries", defaultMaxDeliveries, "attempts at a job, at most the queue's MaxDeliveryCount")
	f.DurationVar(&o.config.JobTimeout, "job-timeout", defaultJobTimeout, "time for one attempt at a job")
	f.DurationVar(&o.config.MaxAge, "max-age", defaultMaxAge, "time from a job's first arrival on, after which it is not tried again")
	f.DurationVar(&o.config.DrainTimeout, "drain-timeout", 25*time.Second, "time to finish jobs at the end; 5s less than --grace-period at most")
	f.DurationVar(&o.grace, "grace-period", 30*time.Second, "time that the process has from SIGTERM on, such as a pod's terminationGracePeriodSeconds; 0 does not check")
}

// checkTimes refuses times that cannot work together.
func (o workerOptions) checkTimes() error {
	drain, attempt, age := o.config.DrainTimeout, cmp.Or(o.config.JobTimeout, defaultJobTimeout), cmp.Or(o.config.MaxAge, defaultMaxAge)
	if o.grace != 0 && drain+worker.LastWords > o.grace {
		return usagef("--drain-timeout %s + %s for the last replies <= --grace-period %s does not hold: the process would be killed before it has given its jobs back",
			drain, worker.LastWords, o.grace)
	}
	if attempt > age {
		return usagef("--job-timeout %s <= --max-age %s does not hold: a job would be too old after its first attempt", attempt, age)
	}
	return nil
}

// exclude refuses flags that say what the file of --policy says. Their variables
// do not count beside it.
func (o workerOptions) exclude(f *pflag.FlagSet) error {
	for _, name := range []string{"vault", "allow-key", "allow-operation", "allow-reply", "replies"} {
		if o.policy != "" && f.Changed(name) {
			return usagef("--policy and --%s exclude each other: say it in the file", name)
		}
	}
	return nil
}

// backend returns the configuration of a worker on Azure.
func (o workerOptions) backend(log *slog.Logger) (backend, error) {
	if err := o.checkTimes(); err != nil {
		return backend{}, err
	}
	if o.policy != "" {
		return o.azure.backendFor(log, func(local bool) (*policy.File, error) {
			f, err := o.policyFile(local).read()
			return f, atStart(o.policy, err)
		})
	}
	if len(o.allowKey) == 0 {
		return backend{}, usagef("no key is allowed, so no job could be done: name each key that jobs may use with --allow-key, or a file with --policy")
	}
	if o.azure.vault == "" {
		return backend{}, usagef("--vault is missing: the URL of the vault that holds the keys")
	}
	return o.azure.backend(log)
}

func (o workerOptions) run(ctx context.Context, log *slog.Logger) error {
	b, err := o.backend(log)
	if err != nil {
		return err
	}
	s, stop := onInterrupt(ctx, func() { log.Info("draining; a second interrupt ends at once") })
	defer stop()
	return o.serve(s, b, log)
}

// serve works until the first interrupt and drains, or until the second.
func (o workerOptions) serve(s stages, b backend, log *slog.Logger) error {
	p, err := o.open(b, log)
	if err != nil {
		return err
	}
	defer p.close()
	h, err := o.serveHealth(p, log)
	if err != nil {
		return err
	}
	defer h.stop()
	if err := p.warm(s.Soft, log); err != nil {
		if s.Soft.Err() != nil {
			return nil // told to end before it held anything
		}
		return err
	}
	if o.policy != "" {
		stop, err := o.followPolicy(s.Soft, p, b, log)
		if err != nil {
			return err
		}
		defer stop()
	}
	log.Info("worker serves", "jobs", p.jobs, "replies", p.rules.now.Load().Replies, "vaults", urls(p.rules.now.Load()), "keys", slices.Sorted(maps.Keys(p.rules.now.Load().Keys)))
	h.serves(s.Soft)
	done := make(chan error, 1) // one result, never closed
	go func() { done <- p.run(s.Soft) }()
	select {
	case err := <-done:
		p.gates.report()
		return err
	case <-s.Hard.Done(): // the process ends, and the locks of what is left run out
		return &exit{code: exitInterrupted}
	}
}
