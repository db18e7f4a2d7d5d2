package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/status"
)

// hangs is what may come on top of the time for an attempt: a try to reply, the
// settlement, and the pause before the job is given back.
const hangs = 5 * time.Minute

// newHealth returns what tells of a post.
func (o workerOptions) newHealth(p *post) (*status.Server, error) {
	c := status.Config{
		Version: readVersion().Version,
		Gates:   p.gates.each,
		Metrics: p.telemetry.measured.page,
		Longest: cmp.Or(o.config.JobTimeout, defaultJobTimeout) + hangs,
	}
	if q := p.telemetry.queue; q != nil {
		c.Spans = q.counts
	}
	for i, w := range p.workers {
		names := []string{p.jobs[i]}
		if i == 0 {
			names = append(names, p.lanes...)
		}
		served := status.Worker{Worker: w}
		for _, name := range names {
			browser, err := p.client.Receiver(name)
			if err != nil {
				return nil, err // it asks nobody
			}
			served.Queues = append(served.Queues, status.Queue{Name: name, Browser: browser})
		}
		c.Workers = append(c.Workers, served)
	}
	h := status.New(c)
	return h, measureQueues(p.telemetry.measured.meter(), h)
}

// serveHealth serves what --health asks for, until stop is called.
func (o workerOptions) serveHealth(p *post, log *slog.Logger) (serves func(context.Context), stop func(), err error) {
	if o.health == "" {
		return func(context.Context) {}, func() {}, nil
	}
	h, err := o.newHealth(p)
	if err != nil {
		return nil, nil, err
	}
	stop, err = h.Listen(o.health, log)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: choose another place with --health", err)
	}
	return h.Serve, stop, nil
}
