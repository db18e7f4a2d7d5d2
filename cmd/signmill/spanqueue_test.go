package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/signmill/signmill/queue"
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
func newCollected(t *testing.T, open bool) (*sdktrace.TracerProvider, *spanQueue, *collector) {
	c := &collector{open: make(chan struct{})}
	if open {
		close(c.open)
	}
	q := newSpanQueue(c, slog.New(slog.DiscardHandler))
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
		<-time.After(spansAge)
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
		const made = 3 * spansHeld
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
		sent, dropped := q.counts()
		if sent+dropped != made || dropped < made-spansHeld-2*spansInBatch {
			t.Errorf("got %d sent and %d dropped, want %d in all and about %d sent", sent, dropped, made, spansHeld)
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

// narrow is a queue whose messages may have so many bytes.
type narrow struct {
	most int
	sent []queue.Message
}

func (n *narrow) Send(_ context.Context, messages ...queue.Message) error {
	for _, m := range messages {
		if len(m.Body) > n.most {
			return fmt.Errorf("%d bytes: %w", len(m.Body), queue.ErrTooLarge)
		}
	}
	n.sent = append(n.sent, messages...)
	return nil
}

func (n *narrow) Close(context.Context) error { return nil }

// TestSpansAreSplitToTheLimit: what is too large for the queue goes in parts,
// and a span that fits into none is lost alone.
func TestSpansAreSplitToTheLimit(t *testing.T) {
	t.Parallel()
	to := &narrow{most: 1000}
	var spans []*tracepb.Span
	for i := range 200 {
		id := make([]byte, 16)
		for j := range id {
			id[j] = byte(i * (j + 7) * 31)
		}
		spans = append(spans, &tracepb.Span{TraceId: id, Name: fmt.Sprint(i)})
	}
	var noise strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&noise, "%x", i*i*7919)
	}
	spans[77].Name = noise.String()
	err := (&spanSender{queue: to}).UploadTraces(t.Context(), []*tracepb.ResourceSpans{
		{ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans[:90]}, {Spans: spans[90:100]}}}, {ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans[100:]}}},
	})
	if lost, ok := errors.AsType[*lostSpans](err); !ok || lost.n != 1 || !errors.Is(err, queue.ErrTooLarge) {
		t.Errorf("got %v, want one span lost", err)
	}
	seen := map[string]bool{}
	for _, m := range to.sent {
		each(pdata(t, m), func(span ptrace.Span) { seen[span.Name()] = true })
	}
	for i, span := range spans {
		if seen[span.Name] == (i == 77) {
			t.Errorf("span %d: got seen %t", i, seen[span.Name])
		}
	}
	if len(seen) != 199 {
		t.Errorf("got %d spans, want 199", len(seen))
	}
}
