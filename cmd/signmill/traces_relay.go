package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/otlp"
	"github.com/signmill/signmill/queue"
)

const tracesRelayHelp = `Hands the traces of workers on to an endpoint that takes OTLP over HTTP: an
OpenTelemetry Collector, or a store of traces. A message is taken from the queue
when the endpoint has accepted it. While it is busy or away, the message is kept and
tried again, ever more slowly, and no other is taken, so that an outage costs none a
delivery. What the endpoint refuses for good goes to the dead letters. Headers, such as a key for the endpoint, are in
OTEL_EXPORTER_OTLP_HEADERS. Ctrl-C and SIGTERM end it.`

func newTracesRelay() *cobra.Command {
	var o tracesOptions
	var to string
	cmd := &cobra.Command{
		Use:     "relay",
		Short:   "Hand traces on to an OTLP endpoint",
		Long:    tracesRelayHelp,
		Example: "  signmill traces relay --namespace example.servicebus.windows.net --to http://collector:4318/v1/traces",
		Args:    noArgs,
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

// relayTarget makes the endpoint at a URL, or that which the standard variables
// name. The headers are theirs either way.
func relayTarget(to string) (*otlp.Endpoint, error) {
	c := otlpSettings(signalTraces)
	target, err := newEndpoint(c)
	if err != nil || to == "" {
		return target, err
	}
	return newEndpoint(otlp.Config{URL: to, Headers: c.Headers})
}

// relay hands messages on, one at a time.
type relay struct {
	target *otlp.Endpoint
	waits  *backoff.ExponentialBackOff
	log    *slog.Logger
}

func newRelay(target *otlp.Endpoint, log *slog.Logger) *relay {
	return &relay{target, backoff.NewExponentialBackOff(backoff.WithMaxInterval(time.Minute), backoff.WithMaxElapsedTime(0)), log}
}

// take hands one message on and settles it by the endpoint's answer. It keeps the
// message while the endpoint is busy or away: giving it back would count as a
// delivery, of which a queue allows few. At the end it is given back.
func (r *relay) take(ctx context.Context, d *queue.Delivery) error {
	held, letGo := hold(ctx, d)
	defer letGo()
	for {
		err := r.target.Post(held, d.Body, d.ContentEncoding)
		refusal, answered := errors.AsType[*otlp.Refusal](err)
		switch {
		case err == nil:
			r.waits.Reset()
			return r.settle(ctx, d.Complete)
		case answered && !refusal.Passing():
			r.log.Error("traces are set aside", "message_id", d.ID, "error", err)
			return r.settle(ctx, func(ctx context.Context) error {
				return d.DeadLetter(ctx, "refused", fmt.Sprintf("the endpoint of traces: %v", err))
			})
		}
		r.pause(held, err)
		if held.Err() != nil {
			return r.settle(ctx, d.Abandon)
		}
	}
}

// pause waits before the next try, as long as the endpoint asked for, within
// bounds.
func (r *relay) pause(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	wait := r.waits.NextBackOff()
	if refusal, answered := errors.AsType[*otlp.Refusal](err); answered {
		wait = max(wait, min(refusal.After, time.Minute))
	}
	r.log.Warn("traces wait for their endpoint", "wait", wait.Round(time.Millisecond), "error", err)
	rest(ctx, wait)
}

// renewEvery is more often than the shortest lock needs, which is 5 s, so that no
// clock has to agree with the broker's.
const renewEvery = 2 * time.Second

// hold renews the lock of d until letGo is called, which waits. The context that
// it returns ends when the lock is lost; the message then comes again.
func hold(ctx context.Context, d *queue.Delivery) (held context.Context, letGo func()) {
	held, lose := context.WithCancel(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() {
		tick := time.NewTicker(renewEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-held.Done():
				return
			}
			if _, err := d.Renew(held); errors.Is(err, queue.ErrLockLost) {
				lose()
			}
		}
	})
	return held, func() {
		lose()
		renewing.Wait()
	}
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
