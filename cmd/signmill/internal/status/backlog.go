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

// look is what a lookout saw: the numbers of the first message that waited and
// of the newest one. There was none where the newest comes before the first.
type look struct {
	at            time.Time // zero: not yet
	first, newest int64
	err           error // why they are not known
}

// jobs is how many of them the worker has not got yet.
func (l look) jobs(latest int64) int64 { return max(0, l.newest-max(l.first, latest+1)+1) }

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

// idle is for how long a call may ask for jobs before none waits: what is on the
// queue is then with other replicas.
const idle = 2 * time.Second

// partitioned is the first number that a queue with partitions may give: the
// upper 16 bits are those of the partition.
const partitioned = 1 << 48

var errPartitioned = errors.New("the queue has partitions, each with numbers of its own")

// look finds out what waits. Jobs that are put off are on the queue, too.
func (l *lookout) look(ctx context.Context) (none look, err error) {
	none.first = 1
	s := l.state()
	ahead, err := l.Browser.Browse(ctx, s.Latest+1, 1)
	if err != nil || len(ahead) == 0 {
		return none, err
	}
	first := ahead[0].SequenceNumber
	if first >= partitioned {
		return none, errPartitioned
	}
	if s.Asking > idle && !ahead[0].ScheduledAt.After(time.Now()) {
		return none, nil
	}
	if l.newest, err = newest(ctx, l.Browser, max(first, l.newest)); err != nil {
		return none, err
	}
	return look{first: first, newest: l.newest}, nil
}

// newest returns the highest number on a queue, of which from is one or was one.
func newest(ctx context.Context, b queue.Browser, from int64) (int64, error) {
	low, high := from, int64(-1) // is there or was; nothing is there or beyond; -1: not known
	for step := int64(1); high < 0 || high-low > 1; step *= 2 {
		at := low + step
		if high >= 0 {
			at = low + (high-low)/2
		}
		seen, err := b.Browse(ctx, at, 1)
		switch {
		case err != nil:
			return low, err
		case len(seen) == 0:
			high = at
		default:
			low = seen[0].SequenceNumber
		}
	}
	return low, nil
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

// newLookout returns that of a worker's queue number i.
func newLookout(w Worker, i int, q Queue) *lookout {
	return &lookout{Queue: q, state: func() worker.QueueState { return w.State().Queues[i] }}
}
