package spanqueue

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/signmill/signmill/cmd/signmill/internal/otlp"
	"github.com/signmill/signmill/queue"
)

// Processor is a span processor that keeps the spans of a job together until
// the job has ended, so that they leave after its result, and hands them on in
// batches. It never makes a job wait: what does not fit is dropped and counted,
// the newest first.
//
// The SDK's own processor lets spans go as they end, and does not say how many
// it dropped. It implements [sdktrace.SpanProcessor].
type Processor struct {
	exporter sdktrace.SpanExporter
	log      *slog.Logger
	wake     chan struct{} // tells the carrier that a batch is full; capacity 1
	flushes  chan chan struct{}
	cancel   context.CancelFunc
	carrier  sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	closed  bool
	roots   map[trace.SpanID]trace.SpanID            // of each span under way: the first of its spans here
	open    map[trace.SpanID][]sdktrace.ReadOnlySpan // ended spans, by the root that has not ended
	ready   []sdktrace.ReadOnlySpan                  // in the order in which they leave
	held    int                                      // in open and ready
	dropped int64                                    // that did not fit, or could not be sent
	sent    int64
}

// Bounds of a Processor.
const (
	maxHeld  = 8192            // at most
	maxBatch = 512             // that leave together
	maxAge   = 5 * time.Second // after which a batch leaves that is not full
	timeout  = 30 * time.Second
	longRest = 30 * time.Second // between two tries while the queue refuses
)

// New starts a processor that sends spans to a queue, and tells log what it loses.
// It owns a goroutine; Shutdown ends it. The sender stays its owner's.
func New(to queue.Sender, log *slog.Logger) *Processor {
	s := &sender{queue: to}
	q := newProcessor(otlp.Spans(s), log)
	s.dropped = func() int64 { _, dropped := q.Counts(); return dropped }
	return q
}

// newProcessor starts the goroutine that hands spans to exporter; Shutdown ends
// it.
func newProcessor(exporter sdktrace.SpanExporter, log *slog.Logger) *Processor {
	ctx, cancel := context.WithCancel(context.Background()) // until Shutdown
	q := &Processor{
		exporter: exporter,
		log:      log,
		wake:     make(chan struct{}, 1),
		flushes:  make(chan chan struct{}),
		cancel:   cancel,
		roots:    map[trace.SpanID]trace.SpanID{},
		open:     map[trace.SpanID][]sdktrace.ReadOnlySpan{},
	}
	q.carrier.Go(func() { q.carry(ctx) })
	return q
}

// OnStart implements [sdktrace.SpanProcessor].
func (q *Processor) OnStart(_ context.Context, s sdktrace.ReadWriteSpan) {
	id, parent := s.SpanContext().SpanID(), s.Parent()
	q.mu.Lock()
	defer q.mu.Unlock()
	root, known := q.roots[parent.SpanID()]
	if !known || parent.IsRemote() {
		root = id
	}
	q.roots[id] = root
}

// OnEnd implements [sdktrace.SpanProcessor].
func (q *Processor) OnEnd(s sdktrace.ReadOnlySpan) {
	id := s.SpanContext().SpanID()
	q.mu.Lock()
	defer q.mu.Unlock()
	root := q.roots[id]
	delete(q.roots, id)
	if q.held == maxHeld || q.closed {
		q.dropped++
	} else {
		q.held++
		q.open[root] = append(q.open[root], s)
	}
	if _, underWay := q.roots[root]; underWay {
		return
	}
	q.ready = append(q.ready, q.open[root]...)
	delete(q.open, root)
	if len(q.ready) >= maxBatch {
		q.nudge()
	}
}

// nudge wakes the carrier. It never blocks.
func (q *Processor) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take returns the next batch, and whether a full one is left behind it.
func (q *Processor) take() (batch []sdktrace.ReadOnlySpan, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.ready), maxBatch)
	batch, q.ready = q.ready[:n:n], q.ready[n:]
	q.held -= n
	return batch, len(q.ready) >= maxBatch
}

// tallied counts a batch that left, or that is lost.
func (q *Processor) tallied(n int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	missing := 0
	if err != nil {
		missing = n
	}
	if some, ok := errors.AsType[*lost](err); ok {
		missing = some.n
	}
	q.dropped += int64(missing)
	q.sent += int64(n - missing)
}

// Counts returns how many spans were sent and dropped since the start.
func (q *Processor) Counts() (sent, dropped int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.sent, q.dropped
}
