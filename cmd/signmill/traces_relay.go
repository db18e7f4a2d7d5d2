package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/spf13/cobra"

	"github.com/signmill/signmill/queue"
)

const tracesRelayHelp = `Hands the traces of workers on to an endpoint that takes OTLP over HTTP: an
OpenTelemetry Collector, or a store of traces. A message is taken from the queue
when the endpoint has accepted it. While it is busy or away, the message is given
back and tried again, ever more slowly. What the endpoint refuses for good goes to
the dead letters. Headers, such as a key for the endpoint, are in
OTEL_EXPORTER_OTLP_HEADERS. Ctrl-C and SIGTERM end it.`

func newTracesRelay() *cobra.Command {
	var o tracesOptions
	var to string
	cmd := &cobra.Command{
		Use:     "relay",
		Short:   "Hand traces on to an OTLP endpoint",
		Long:    tracesRelayHelp,
		Example: "  signmill traces relay --namespace example.servicebus.windows.net --to http://collector:4318/v1/traces",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := newLog(cmd, slog.LevelInfo)
			if err != nil {
				return err
			}
			target, err := relayTarget(to)
			if err != nil {
				return err
			}
			r := newRelay(target, log)
			return o.run(cmd.Context(), log, r.take)
		},
	}
	o.add(cmd)
	cmd.Flags().StringVar(&to, "to", "", "`URL` of the endpoint, such as http://localhost:4318/v1/traces (default from OTEL_EXPORTER_OTLP_ENDPOINT)")
	unbind(cmd.Flags(), "to")
	return cmd
}

func relayTarget(to string) (*otlpTarget, error) {
	target, err := otlpFromEnvironment()
	if err != nil || to == "" {
		return target, err
	}
	own, err := newOTLPTarget(to)
	if err != nil {
		return nil, err
	}
	own.headers = target.headers
	return own, nil
}

// relay hands messages on, one at a time.
type relay struct {
	target *otlpTarget
	waits  *backoff.ExponentialBackOff
	log    *slog.Logger
}

func newRelay(target *otlpTarget, log *slog.Logger) *relay {
	return &relay{target, backoff.NewExponentialBackOff(backoff.WithMaxInterval(time.Minute), backoff.WithMaxElapsedTime(0)), log}
}

// take hands one message on and settles it by the endpoint's answer. It waits
// with a message that it is about to give back, so that nobody spins.
func (r *relay) take(ctx context.Context, d *queue.Delivery) error {
	err := r.target.post(ctx, d.Body, d.ContentEncoding)
	refusal, answered := errors.AsType[*otlpRefusal](err)
	switch {
	case err == nil:
		r.waits.Reset()
		return r.settle(ctx, d.Complete)
	case answered && !refusal.passing():
		r.log.Error("traces are set aside", "message_id", d.ID, "error", err)
		return r.settle(ctx, func(ctx context.Context) error {
			return d.DeadLetter(ctx, "refused", fmt.Sprintf("the endpoint of traces: %v", err))
		})
	}
	wait := r.waits.NextBackOff()
	if answered {
		wait = max(wait, min(refusal.after, time.Minute))
	}
	// A lock may be as short as 5 s, and a message whose lock is lost comes
	// again by itself.
	r.log.Warn("traces wait for their endpoint", "wait", wait.Round(time.Millisecond), "error", err)
	settled := r.settle(ctx, d.Abandon)
	rest(ctx, wait)
	return settled
}

// settle ends a delivery, also when ctx has ended. A lost lock is no failure:
// the message comes again, and is known by the ids of its spans.
func (r *relay) settle(ctx context.Context, how func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if err := how(ctx); err != nil && !errors.Is(err, queue.ErrLockLost) {
		return fmt.Errorf("settle traces: %w", err)
	}
	return nil
}

// rest waits for a while, or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
