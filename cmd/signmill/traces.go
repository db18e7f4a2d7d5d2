package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/spanqueue"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
)

const tracesHelp = `Takes the traces that workers put on a queue: tail shows them here, relay hands
them on to where traces are kept.

A worker puts its traces on the reply queue, or on the queue of its --trace-queue.
On a reply queue that requires sessions they have a session of their own. On one
without, they are among the results, and only who takes the results sees them:
give workers a --trace-queue then.`

// tracesAdvice is what to do about a queue that holds more than traces.
const tracesAdvice = "give workers a --trace-queue, or use a reply queue with sessions and --session"

func newTraces(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "traces",
		Short:   "Take the traces of workers from a queue",
		Long:    tracesHelp,
		Example: "  signmill traces tail --help",
		Args:    unknownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTracesTail(s), newTracesRelay())
	return cmd
}

// tracesOptions are the flags of a command that takes traces.
type tracesOptions struct {
	azure   azureFlags
	queue   string
	session bool
}

func (o *tracesOptions) add(cmd *cobra.Command) {
	o.azure.addBus(cmd)
	f := cmd.Flags()
	f.StringVar(&o.queue, "queue", "traces", "the `QUEUE` with the traces")
	f.BoolVar(&o.session, "session", false, "the queue requires sessions; take the traces' own")
	unbind(f, "queue", "session")
}

// run hands the messages of the queue to take, until the first interrupt.
func (o tracesOptions) run(ctx context.Context, log *slog.Logger, take spanqueue.Take) error {
	b, err := o.azure.backend(log)
	if err != nil {
		return err
	}
	s, stop := onInterrupt(ctx, func() {})
	defer stop()
	client, err := servicebus.New(b.Bus)
	if err != nil {
		return usageError(err)
	}
	defer closeClient(client)
	from, err := o.receiver(s.Soft, client)
	if err != nil {
		return err
	}
	return spanqueue.Reader{From: from, Advice: tracesAdvice}.Each(s.Soft, take)
}

func (o tracesOptions) receiver(ctx context.Context, client *servicebus.Client) (*servicebus.Receiver, error) {
	if o.session {
		return client.SessionReceiver(ctx, o.queue, schema.TracesSubject)
	}
	return client.Receiver(o.queue)
}
