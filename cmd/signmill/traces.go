package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
)

const tracesHelp = `Takes the traces that workers put on a queue: tail shows them here, relay hands
them on to where traces are kept.

A worker puts its traces on the reply queue, or on the queue of its --trace-queue.
On a reply queue that requires sessions they have a session of their own. On one
without, they are among the results, and only who takes the results sees them:
give workers a --trace-queue then.`

// settleTimeout bounds the settlement of a message.
const settleTimeout = 10 * time.Second

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

// run hands the messages of the queue to take, one after the other, until the
// first interrupt. What take says becomes of a message; its error ends the run.
func (o tracesOptions) run(ctx context.Context, log *slog.Logger, take func(context.Context, *queue.Delivery) error) error {
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
	return takeTraces(s.Soft, from, take)
}

func (o tracesOptions) receiver(ctx context.Context, client *servicebus.Client) (*servicebus.Receiver, error) {
	if o.session {
		return client.SessionReceiver(ctx, o.queue, schema.TracesSubject)
	}
	return client.Receiver(o.queue)
}

// errNoTraces is what a message without spans means.
var errNoTraces = errors.New("the queue holds something else than traces, which was given back: give workers a --trace-queue, or use a reply queue with sessions and --session")

// takeTraces works until ctx ends.
func takeTraces(ctx context.Context, from queue.Receiver, take func(context.Context, *queue.Delivery) error) error {
	for {
		deliveries, err := from.Receive(ctx, 1)
		if ctx.Err() != nil && len(deliveries) == 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("take traces: %w", err)
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
		for _, d := range deliveries {
			if d.Subject != schema.TracesSubject {
				err = errors.Join(err, errNoTraces, d.Abandon(last))
				continue
			}
			err = errors.Join(err, take(ctx, d))
		}
		cancel()
		if err != nil {
			return err
		}
	}
}

// maxTraces bounds the spans of one message, decompressed.
const maxTraces = 64 << 20

// unpackTraces returns the spans of a message.
func unpackTraces(m queue.Message) ([]*tracepb.ResourceSpans, error) {
	var body io.Reader = bytes.NewReader(m.Body)
	if m.ContentEncoding == "gzip" {
		r, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("message %q: %w", m.ID, err)
		}
		body = r
	}
	plain, err := io.ReadAll(io.LimitReader(body, maxTraces))
	if err != nil {
		return nil, fmt.Errorf("message %q: %w", m.ID, err)
	}
	var data tracepb.TracesData
	if err := proto.Unmarshal(plain, &data); err != nil {
		return nil, fmt.Errorf("message %q is no OTLP request: %w", m.ID, err)
	}
	return data.ResourceSpans, nil
}
