package main

import (
	"fmt"

	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/worker"
)

// Values of --trace-parent.
const (
	traceParent = "parent"
	traceLink   = "link"
)

// observed says what a worker tells of its jobs.
func (o workerOptions) observed(t *telemetry) (worker.Telemetry, error) {
	switch o.traceParent {
	case "", traceParent, traceLink:
	default:
		return worker.Telemetry{}, usagef("--trace-parent %q: use parent or link", o.traceParent)
	}
	return worker.Telemetry{Tracer: t.tracer(), Meter: t.measured.meter(), Link: o.traceParent == traceLink, JobQueue: o.jobs, Server: o.azure.namespace}, nil
}

// traced lets the vault's client make its spans, and measure.
func (p *post) traced(c keyvault.Config) keyvault.Config {
	c.Tracer, c.Meter = p.telemetry.tracer(), p.telemetry.measured.meter()
	return c
}

// sendSpans lets the spans go to a queue over a link of their own, if they are
// to, so that they hold up no reply. Only a queue that was named for them must
// be usable at the start.
func (p *post) sendSpans(own, replies string) error {
	if !p.telemetry.onQueue {
		return nil
	}
	name := replies
	if own != "" {
		name = own
	}
	sender, err := p.client.Sender(name)
	if err != nil {
		return fmt.Errorf("--trace-queue: %w", err)
	}
	if own != "" {
		p.warmups = append(p.warmups, sender.Warm)
	}
	p.telemetry.sendTo(sender)
	return measureSpans(p.telemetry.measured.meter(), p.telemetry.queue)
}
