package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/queue/servicebus"
)

const dlqHelp = `Looks after the dead letters of a queue: jobs that no worker could do, with a
reason. list and show only look. replay puts jobs back on their queue, and purge
deletes them; both count first, say for what reasons, and ask.

list and show take nothing from the queue and need the right to listen; replay
needs the right to send, too.`

const dlqExamples = `  export SIGNMILL_NAMESPACE=example.servicebus.windows.net
  signmill dlq list
  signmill dlq show 1042
  signmill dlq replay --reason attempts_exhausted --since 2h
  signmill dlq purge --reason not_json --dry-run`

// dlqOptions are the flags that all commands below dlq share.
type dlqOptions struct {
	streams
	azure azureFlags
	queue string
	json  bool
}

func newDLQ(s streams) *cobra.Command {
	o := &dlqOptions{streams: s}
	cmd := &cobra.Command{
		Use:     "dlq",
		Short:   "Look after the dead letters of a queue",
		Long:    dlqHelp,
		Example: dlqExamples,
		Args:    unknownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, below := range []*cobra.Command{newDLQList(o), newDLQShow(o), newDLQReplay(o), newDLQPurge(o)} {
		o.azure.addBus(below)
		f := below.Flags()
		f.StringVar(&o.queue, "queue", "jobs", "the `QUEUE` whose dead letters are meant")
		f.BoolVar(&o.json, "json", false, "print JSON, one object in each line")
		unbind(f, "queue")
		cmd.AddCommand(below)
	}
	return cmd
}

// morgue is a queue's dead letters, and the way to them.
type morgue struct {
	client  *servicebus.Client
	letters *servicebus.Receiver
	queue   string
}

// open connects to nothing yet.
func (o *dlqOptions) open(cmd *cobra.Command) (*morgue, error) {
	log, err := newLog(cmd, slog.LevelWarn)
	if err != nil {
		return nil, err
	}
	b, err := o.azure.backend(log)
	if err != nil {
		return nil, err
	}
	client, err := servicebus.New(b.Bus)
	if err != nil {
		return nil, usageError(err)
	}
	letters, err := client.Receiver(servicebus.DeadLetters(o.queue))
	if err != nil {
		closeClient(client)
		return nil, usageError(err)
	}
	return &morgue{client, letters, o.queue}, nil
}

func (m *morgue) close() { closeClient(m.client) }

// looking lets do look at the dead letters until it is done, or Ctrl-C.
func (o *dlqOptions) looking(cmd *cobra.Command, do func(context.Context, *morgue) error) error {
	m, err := o.open(cmd)
	if err != nil {
		return err
	}
	defer m.close()
	return interruptibly(cmd.Context(), func() {}, func(s stages) error { return do(s.Soft, m) })
}

// interruptibly lets do work until it is done, or Ctrl-C, of which say is told.
func interruptibly(ctx context.Context, say func(), do func(stages) error) error {
	s, stop := onInterrupt(ctx, say)
	defer stop()
	err := do(s)
	if err != nil && s.Soft.Err() != nil {
		return &exit{exitInterrupted, err}
	}
	return err
}

// dead says that something of the queue's dead letters failed.
func (m *morgue) dead(err error) error {
	return fmt.Errorf("the dead letters of queue %s: %w", display.OneLine(m.queue), err)
}
