package status

import (
	"context"
	"net/http"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/worker"
)

// Config says of what a Server tells. Workers, Gates and Metrics are required.
type Config struct {
	Version string
	Workers []Worker
	Gates   func(visit func(vault string, s quota.State)) // calls visit for each vault whose calls are paced
	Stored  func(vault string) bool                       // reports whether a store grants parts of a vault's quota; nil: none does
	Spans   func() (sent, dropped int64)                  // that go to a queue; nil: none do
	Metrics http.Handler
	Longest time.Duration // for which a job may stay at one step
}

// Worker is a worker with its queues.
type Worker struct {
	*worker.Worker
	Queues []Queue // that of its Config.Jobs, and those of its lanes in their order
}

// Queue is a job queue.
type Queue struct {
	Name    string
	Browser Browser // nil: its backlog is not known, nor whether the broker answers
}

// Browser looks at a queue on a link that nobody else uses.
type Browser interface {
	queue.Browser

	// Warm returns nil when the broker answers on the queue and accepts us.
	Warm(ctx context.Context) error
}
