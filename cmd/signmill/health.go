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
		Stored:  p.gates.stored,
		Metrics: p.telemetry.measured.page,
		Longest: cmp.Or(o.config.JobTimeout, defaultJobTimeout) + hangs,
	}
	if q := p.telemetry.queue; q != nil {
		c.Spans = q.Counts
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

// health is what --health asks for.
type health struct {
	at     string                // where it is served; "": nowhere
	serves func(context.Context) // notes that jobs are taken until the context ends
	stop   func()                // ends it, and waits
}

// serveHealth serves what --health asks for, until it is stopped.
func (o workerOptions) serveHealth(p *post, log *slog.Logger) (health, error) {
	if o.health == "" {
		return health{serves: func(context.Context) {}, stop: func() {}}, nil
	}
	h, err := o.newHealth(p)
	if err != nil {
		return health{}, err
	}
	at, stop, err := h.Listen(o.health, log)
	if err != nil {
		return health{}, fmt.Errorf("%w: choose another place with --health", err)
	}
	return health{at.String(), h.Serve, stop}, nil
}
