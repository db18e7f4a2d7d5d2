package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/jobfile"
	"github.com/signmill/signmill/schema"
)

const submitHelp = `Sends jobs of any operation and prints their results, one JSON object in each
line, in the order in which they come. FILE holds job documents, one after the
other; without it, or with -, they come from standard input. signmill schema
job prints what a job looks like.

Each job is checked before it is sent. Of a FILE with a fault nothing is sent;
standard input is sent up to the fault.

A job's id is for ever: while the queues remember it, a second job with the same
id gets no result. Take a new id for a new try.

Results are printed as they come; only sign verifies signatures itself. The exit
code is 1 when a job, or an item of one, failed or got no result, and 3 when all
was done and a signature that was to be verified is wrong.

--local brings a broker, a vault and a worker along in this process, with the
key signmill for ES256 and those of --key. They are made anew at each start.`

const submitExamples = `  signmill submit --local --key seal=RSA-OAEP-256 jobs.json

  signmill submit --namespace example.servicebus.windows.net jobs.json > results.json

  make-jobs | signmill submit --namespace example.servicebus.windows.net - | store-results`

// submitOptions are the flags of submit.
type submitOptions struct {
	queueOptions
	keys []string
	file string
}

func newSubmit(s streams) *cobra.Command {
	var o submitOptions
	cmd := &cobra.Command{
		Use:     "submit [FILE]",
		Short:   "Send jobs and print their results",
		Long:    submitHelp,
		Example: submitExamples,
		Args:    usage(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			log, err := newLog(cmd, slog.LevelWarn)
			if err != nil {
				return err
			}
			if len(args) > 0 {
				o.file = args[0]
			}
			if err := exclusive(cmd, append(o.contradictions(), [2]string{"local", "no-wait"}, [2]string{"reply-session", "no-wait"})...); err != nil {
				return err
			}
			return o.run(cmd.Context(), s, log)
		},
	}
	f := cmd.Flags()
	o.queueOptions.add(cmd)
	f.BoolVar(&o.noWait, "no-wait", false, "only send the jobs; their results are for another to take")
	f.StringSliceVar(&o.keys, "key", nil, "with --local, one more key, as NAME=ALG; may be repeated")
	unbind(f, "key")
	return cmd
}

// company is what --local brings along.
func (o submitOptions) company() (company, error) {
	if len(o.keys) > 0 && !o.local {
		return company{}, usagef("--key is for --local: elsewhere a job names its key itself")
	}
	keys, err := localKeys(o.keys)
	return company{Keys: append([]localKey{{"signmill", schema.ES256}}, keys...), Operations: operationNames()}, err
}

// run checks, connects, and submits.
func (o submitOptions) run(ctx context.Context, s streams, log *slog.Logger) error {
	if err := o.check(); err != nil {
		return err
	}
	with, err := o.company()
	if err != nil {
		return err
	}
	file, err := jobfile.Open(o.file, s.in)
	if err != nil {
		return display.Error(err)
	}
	defer file.Close() //nolint:errcheck // only read
	st, stop := onInterrupt(ctx, sayWaiting(s.err))
	defer stop()
	l, run := &links{}, randomID(16)
	defer func() { l.close() }()
	b, err := o.backend(st, l, with, log)
	if err != nil {
		return err
	}
	if err := o.openQueues(st.Soft, b, l, run, log); err != nil {
		return err
	}
	u := newSubmission(o.exchange(l, run, log), file, s)
	if o.noWait {
		return u.post(st.Soft)
	}
	return u.run(st)
}
