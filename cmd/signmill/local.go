package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/schema"
)

const localHelp = `Serves a broker and a vault on this machine, for any language: Service Bus over
AMQP 1.0, Key Vault over HTTPS, and tokens for default credentials. It prints
the settings that lead clients there.

There are the queues jobs and replies, and the key signmill for ES256; --queue,
--config and --key add more. Keys are fresh at each start, and everything is lost on
exit. No worker runs unless --worker asks for one; --health serves its status page.

It refuses to start where Azure settings are present, unless each is named with
--despite.`

const localExamples = `  signmill local --env-file local.env &
  . ./local.env
  signmill worker --allow-key signmill &
  signmill sign report.pdf

  # with a worker, whose page is on http://127.0.0.1:8080
  signmill local --worker --health 127.0.0.1:8080`

// localOptions are the flags of local.
type localOptions struct {
	bus     string
	admin   string
	vault   string
	config  string
	queues  []string
	keys    []string
	quota   int
	hsm     bool
	worker  bool
	health  string // where the worker's page is; "": nowhere
	despite []string
	envFile string
	json    bool
}

func newLocal(s streams) *cobra.Command {
	var o localOptions
	cmd := &cobra.Command{
		Use:     "local",
		Short:   "Serve a broker and a vault on this machine",
		Long:    localHelp,
		Example: localExamples,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := newLog(cmd, slog.LevelWarn)
			if err != nil {
				return err
			}
			if !o.worker && cmd.Flags().Changed("health") {
				return usagef("--health %q needs --worker: what it serves is a worker's", o.health)
			}
			return o.run(cmd.Context(), s, log)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.bus, "bus", "127.0.0.1:5672", "`ADDRESS` where the broker listens; port 0 is any free one")
	f.StringVar(&o.admin, "admin", "127.0.0.1:5300", "`ADDRESS` where the broker is managed over HTTP, as well as at --bus; port 0 is any free one")
	f.StringVar(&o.vault, "vault", "127.0.0.1:8443", "`ADDRESS` where the vault listens; port 0 is any free one")
	f.StringVar(&o.config, "config", "", "a configuration `FILE` of the official emulator, with queues")
	f.StringSliceVar(&o.queues, "queue", nil, "one more queue, as NAME or NAME=sessions; may be repeated")
	f.StringSliceVar(&o.keys, "key", nil, "one more key, as NAME=ALG; may be repeated")
	f.IntVar(&o.quota, "quota", 0, "what the vault allows in 10 s, in units; 4000 is the real one's, 0 no limit")
	f.BoolVar(&o.hsm, "managed-hsm", false, "answer as a Managed HSM does: HSM keys only, random bytes, attestations")
	f.BoolVar(&o.worker, "worker", false, "run a worker, too")
	f.StringVar(&o.health, "health", "", "`ADDRESS` where the worker of --worker serves /livez, /readyz, /metrics and a page for people, such as 127.0.0.1:8080 (default nowhere)")
	f.StringSliceVar(&o.despite, "despite", nil, "an Azure setting in the environment to ignore; may be repeated")
	f.StringVar(&o.envFile, "env-file", "", "also write the settings to this `FILE`, for a shell to read")
	f.BoolVar(&o.json, "json", false, "print the settings as one JSON object")
	unbind(f, "vault", "key")
	return cmd
}

func (o localOptions) run(ctx context.Context, out streams, log *slog.Logger) error {
	if err := guardLocal(environment(), o.despite); err != nil {
		return err
	}
	spec, err := o.spec(log)
	if err != nil {
		return err
	}
	st, err := newStack(spec)
	if err != nil {
		return err
	}
	defer st.close()
	s, stop := onInterrupt(ctx, func() {})
	defer stop()
	at, err := o.listen(s.Soft)
	if err != nil {
		return err
	}
	defer at.close()
	at.spec = spec
	return o.serve(s.Soft, out, st, at)
}

// spec reads the queues and keys.
func (o localOptions) spec(log *slog.Logger) (stackSpec, error) {
	spec := stackSpec{
		Queues: []localQueue{{Name: "jobs"}, {Name: "replies", Duplicates: true}},
		Keys:   []localKey{{"signmill", schema.ES256}},
		File:   o.config,
		Quota:  o.quota,
		HSM:    o.hsm,
		Log:    log,
	}
	if o.quota < 0 {
		return spec, usagef("--quota %d: use 0 for no limit, or more", o.quota)
	}
	for _, text := range o.queues {
		name, kind, _ := strings.Cut(text, "=")
		if kind != "" && kind != "sessions" {
			return spec, usagef("--queue %q: use NAME or NAME=sessions", text)
		}
		spec.Queues = append(spec.Queues, localQueue{Name: name, Sessions: kind != ""})
	}
	keys, err := localKeys(o.keys)
	spec.Keys = append(spec.Keys, keys...)
	return spec, err
}

// localKeys reads keys, as NAME=ALG.
func localKeys(texts []string) ([]localKey, error) {
	var keys []localKey
	for _, text := range texts {
		name, algorithm, _ := strings.Cut(text, "=")
		a := schema.Algorithm(strings.ToUpper(algorithm))
		if !a.Known() {
			return nil, usagef("--key %q: use NAME=ALG, where ALG is one of %v", text, schema.Algorithms())
		}
		keys = append(keys, localKey{name, a})
	}
	return keys, nil
}

// served is what a stack listens on.
type served struct {
	bus, admin, vault net.Listener
	spec              stackSpec
	page              string // the worker's, as an address; "": there is none
}

// listen opens all places, or says which one is taken.
func (o localOptions) listen(ctx context.Context) (at served, err error) {
	places := []struct {
		flag, address string
		listener      *net.Listener
	}{{"bus", o.bus, &at.bus}, {"admin", o.admin, &at.admin}, {"vault", o.vault, &at.vault}}
	var config net.ListenConfig
	for _, p := range places {
		if *p.listener, err = config.Listen(ctx, "tcp", p.address); err != nil {
			at.close()
			var form *net.AddrError
			err = fmt.Errorf("%w: choose another place with --%s", err, p.flag)
			if errors.As(err, &form) {
				err = usageError(err)
			}
			return served{}, err
		}
	}
	return at, nil
}

func (s served) close() {
	for _, l := range []net.Listener{s.bus, s.admin, s.vault} {
		if l != nil {
			l.Close() //nolint:errcheck // it is closed already, unless serving never began
		}
	}
}

// vaultURL is where clients find the vault.
func (s served) vaultURL() string { return "https://" + s.vault.Addr().String() }

// serve tells the settings and serves until ctx ends.
func (o localOptions) serve(ctx context.Context, out streams, st *stack, at served) error {
	dir, err := os.MkdirTemp("", "signmill-local-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	settings, err := newSettings(dir, st, at)
	if err != nil {
		return err
	}
	if o.worker {
		page, stop, err := startWorker(ctx, st.backend(at.vaultURL()), o.localWorker(at.spec), at.spec.Log)
		if err != nil {
			return err
		}
		defer stop()
		at.page = page
	}
	if err := o.announce(out, at, settings); err != nil {
		return err
	}
	return st.serve(ctx, at.bus, at.admin, at.vault)
}

// localWorker allows every key and answers on every queue.
func (o localOptions) localWorker(spec stackSpec) workerOptions {
	w := workerOptions{jobs: "jobs", replies: "replies", allowOperation: operationNames(), health: o.health, budget: budgetFlags{units: o.quota}}
	w.config.DrainTimeout = localDrain
	for _, k := range spec.Keys {
		w.allowKey = append(w.allowKey, k.Name)
	}
	for _, q := range spec.Queues[2:] {
		w.allowReply = append(w.allowReply, q.Name)
	}
	return w
}
