package spanqueue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// collector is a span exporter that remembers names. Until open is closed it
// answers nothing.
type collector struct {
	open chan struct{}
	err  error

	mu    sync.Mutex // guards names
	names []string
}

func (c *collector) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	select {
	case <-c.open:
	case <-ctx.Done():
		return ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range spans {
		c.names = append(c.names, s.Name())
	}
	return c.err
}

func (c *collector) Shutdown(context.Context) error { return nil }

func (c *collector) got() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.names)
}

// newCollected returns a provider whose spans go through a queue to a collector.
func newCollected(t *testing.T, open bool) (*sdktrace.TracerProvider, *Processor, *collector) {
	c := &collector{open: make(chan struct{})}
	if open {
		close(c.open)
	}
	q := newProcessor(c, slog.New(slog.DiscardHandler))
	p := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(q))
	t.Cleanup(func() { p.Shutdown(context.WithoutCancel(t.Context())) })
	return p, q, c
}

// TestSpansWaitForTheEndOfTheirJob: none of a job's spans leaves before its
// first one has ended, however long that takes.
func TestSpansWaitForTheEndOfTheirJob(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, _, c := newCollected(t, true)
		tracer := p.Tracer("test")
		ctx, job := tracer.Start(t.Context(), "job")
		_, call := tracer.Start(ctx, "call")
		call.End()
		<-time.After(time.Minute)
		if got := c.got(); len(got) > 0 {
			t.Errorf("while the job is under way: got %v, want none", got)
		}
		job.End()
		<-time.After(maxAge)
		synctest.Wait()
		if got := fmt.Sprint(c.got()); got != "[call job]" {
			t.Errorf("after the job: got %s, want [call job]", got)
		}
	})
}

// TestSpansAreDroppedAndCounted: an exporter that hangs makes nobody wait.
func TestSpansAreDroppedAndCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, q, c := newCollected(t, false)
		began := time.Now()
		const made = 3 * maxHeld
		for i := range made {
			_, span := p.Tracer("test").Start(t.Context(), fmt.Sprint(i))
			span.End()
		}
		if time.Since(began) > 0 {
			t.Errorf("got %s of waiting, want none", time.Since(began))
		}
		close(c.open)
		if err := p.ForceFlush(t.Context()); err != nil {
			t.Fatal(err)
		}
		sent, dropped := q.Counts()
		if sent+dropped != made || dropped < made-maxHeld-2*maxBatch {
			t.Errorf("got %d sent and %d dropped, want %d in all and about %d sent", sent, dropped, made, maxHeld)
		}
		if got := c.got(); got[0] != "0" || int64(len(got)) != sent {
			t.Errorf("got %d spans from %s on, want the %d oldest", len(got), got[0], sent)
		}
	})
}

// TestEndDoesNotHang: an exporter that answers nothing costs no more than the
// time that the end may take.
func TestEndDoesNotHang(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, _, _ := newCollected(t, false)
		_, span := p.Tracer("test").Start(t.Context(), "span")
		span.End()
		const flushTimeout = 3 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), flushTimeout)
		defer cancel()
		began := time.Now()
		if err := p.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the end of the time", err)
		}
		if took := time.Since(began); took != flushTimeout {
			t.Errorf("got %s, want %s", took, flushTimeout)
		}
	})
}
