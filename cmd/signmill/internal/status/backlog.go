package status

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/worker"
)

// Every so often a lookout looks, for so long at most.
const (
	lookEvery = 15 * time.Second
	lookLimit = 30 * time.Second
)

// lookout watches one job queue with the right to listen alone. The management
// API counts messages exactly; but it takes the right to manage, which a worker
// must not have, and has few requests to spare.
//
// A broker numbers the messages of a queue without gaps, and hands them out in
// that order. What waits lies between the newest message that this worker got
// and the newest that there is. What other replicas got meanwhile is counted,
// unless it lies before all others; what was given back is not, until it comes
// again as a copy.
// Source: https://learn.microsoft.com/azure/service-bus-messaging/message-sequencing
type lookout struct {
	Queue
	state  func() worker.QueueState
	newest int64 // message so far; owned by run

	mu   sync.Mutex // guards the fields below
	last look
	up   time.Time // when the broker answered last
}

// newLookout returns that of a worker's queue number i.
func newLookout(w Worker, i int, q Queue) *lookout {
	return &lookout{Queue: q, state: func() worker.QueueState { return w.State().Queues[i] }}
}

// run looks until ctx ends.
func (l *lookout) run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		l.glance(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (l *lookout) glance(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	err := l.Browser.Warm(ctx)
	up := err == nil || errors.Is(err, queue.ErrUnauthorized) || errors.Is(err, queue.ErrNotFound)
	var seen look
	if err == nil {
		seen, err = l.look(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	seen.at, seen.err = time.Now(), err
	l.last = seen
	if up {
		l.up = l.last.at
	}
}

// seen returns the last look.
func (l *lookout) seen() look {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// silence returns for how long the broker has given no answer.
func (l *lookout) silence() (d time.Duration, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.up), !l.up.IsZero()
}

// silentAfter is how long a broker may give no answer: a look or two may fail
// when a connection breaks.
const silentAfter = time.Minute

// silent is zero unless that is too long.
func (l *lookout) silent() time.Duration {
	if d, known := l.silence(); known && d >= silentAfter {
		return d
	}
	return 0
}

// Backlogs calls visit for each job queue whose backlog is known.
func (s *Server) Backlogs(visit func(queue string, jobs int64)) {
	for _, l := range s.lookouts {
		if seen := l.seen(); seen.err == nil && !seen.at.IsZero() {
			visit(l.Name, seen.jobs(l.state().Latest))
		}
	}
}

// Silences calls visit for each job queue with the time since the broker answered
// there last.
func (s *Server) Silences(visit func(queue string, d time.Duration)) {
	for _, l := range s.lookouts {
		if d, known := l.silence(); known {
			visit(l.Name, d)
		}
	}
}

// unknown says why a backlog is not known, and what to do.
func unknown(err error) string {
	switch {
	case errors.Is(err, queue.ErrUnauthorized):
		return `the identity lacks the role "Azure Service Bus Data Receiver" on the queue`
	case errors.Is(err, queue.ErrNotFound):
		return "there is no such queue, or it is disabled"
	case errors.Is(err, errPartitioned):
		return errPartitioned.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "the broker does not answer"
	}
	if e, ok := errors.AsType[*queue.Error](err); ok {
		err = e.Err // which names neither the step nor the queue
	}
	return fmt.Sprintf("the broker does not tell: %.200s", err)
}
