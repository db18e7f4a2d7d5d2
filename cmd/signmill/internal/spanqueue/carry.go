package spanqueue

import (
	"context"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// carry hands batches on until ctx ends: when one is full, when it is old, or
// when a flush asks.
func (q *Processor) carry(ctx context.Context) {
	tick := time.NewTicker(maxAge)
	defer tick.Stop()
	rest := time.Duration(0) // before the next try
	for {
		select {
		case <-ctx.Done():
			return
		case done := <-q.flushes:
			q.empty(ctx) //nolint:errcheck // it is counted and logged
			close(done)
			continue
		case <-q.wake:
		case <-tick.C:
		}
		if q.empty(ctx) == nil {
			rest = 0
			continue
		}
		rest = min(max(2*rest, time.Second), longRest)
		q.pause(ctx, rest)
	}
}

// empty hands on what is ready, until something fails.
func (q *Processor) empty(ctx context.Context) error {
	for more := true; more; {
		var batch []sdktrace.ReadOnlySpan
		batch, more = q.take()
		if err := q.export(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// export hands one batch on. What fails is lost: the sender has tried hard
// enough, and newer spans are worth more.
func (q *Processor) export(ctx context.Context, batch []sdktrace.ReadOnlySpan) error {
	if len(batch) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := q.exporter.ExportSpans(ctx, batch)
	q.tallied(len(batch), err)
	if err != nil {
		q.log.Warn("spans are lost", "spans", len(batch), "error", err)
	}
	return err
}

// pause keeps away from a queue that refuses, but not from a flush.
func (q *Processor) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case done := <-q.flushes:
		q.empty(ctx) //nolint:errcheck // it is counted and logged
		close(done)
	}
}

// ForceFlush implements [sdktrace.SpanProcessor]. It returns when all spans of
// ended jobs were sent or lost, or when ctx ends.
func (q *Processor) ForceFlush(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case q.flushes <- done:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Shutdown implements [sdktrace.SpanProcessor]. It also hands on the spans of
// jobs that have not ended, and gives up when ctx ends.
func (q *Processor) Shutdown(ctx context.Context) error {
	q.mu.Lock()
	again := q.closed
	q.closed = true
	for root, spans := range q.open {
		q.ready = append(q.ready, spans...)
		delete(q.open, root)
	}
	q.mu.Unlock()
	if again {
		return nil
	}
	err := q.ForceFlush(ctx)
	q.cancel()
	q.carrier.Wait()
	return err
}
