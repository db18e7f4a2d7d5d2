package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/worker"
)

// mill is a worker on a stack in memory, as signmill worker starts it.
type mill struct {
	t      testing.TB
	stack  *stack
	post   *post
	client *servicebus.Client
	jobs   *servicebus.Sender
	tracer trace.Tracer // of the producer
	drain  func()       // ends the worker and its connections
	away   atomic.Bool  // nobody reaches the broker
}

func newMill(t testing.TB, change func(*workerOptions), more ...localQueue) *mill {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	st, err := newStack(stackSpec{
		Queues: append(more, localQueue{Name: "jobs"}, localQueue{Name: "replies", Duplicates: true}),
		Keys:   []localKey{{"signmill", schema.ES256}}, Log: log,
	})
	must(t, err)
	t.Cleanup(st.close)
	o := workerOptions{jobs: "jobs", replies: "replies", allowKey: []string{"signmill"}, exports: []string{exportServiceBus}}
	o.config.DrainTimeout = 10 * time.Second
	if change != nil {
		change(&o)
	}
	b := st.backend(localVaultURL)
	m := &mill{t: t, stack: st, tracer: sdktrace.NewTracerProvider().Tracer("test")}
	b.Bus.Dial = m.road(b.Bus.Dial)
	m.post, err = o.open(b, log)
	must(t, err)
	m.client, err = servicebus.New(b.Bus)
	must(t, err)
	t.Cleanup(func() { closeClient(m.client) })
	m.jobs, err = m.client.Sender("jobs")
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.post.work(ctx) }()
	stopped := false
	m.drain = func() {
		if !stopped {
			stopped = true
			cancel()
			must(t, <-done)
			m.post.close()
		}
	}
	t.Cleanup(m.drain)
	return m
}

// road leads to the broker unless it is away.
func (m *mill) road(dial func(context.Context, string) (net.Conn, error)) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, host string) (net.Conn, error) {
		if m.away.Load() {
			return nil, errors.New("no route to host")
		}
		return dial(ctx, host)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// submit sends a job under a span of its producer.
func (m *mill) submit(id string, items int) trace.SpanContext {
	m.t.Helper()
	ctx, span := m.tracer.Start(m.t.Context(), "producer")
	defer span.End()
	job := schema.Job{ID: id, Operation: schema.Sign, Key: "signmill", Algorithm: schema.ES256}
	for i := range items {
		job.Items = append(job.Items, schema.Item{ID: fmt.Sprint(i), Digest: make([]byte, 32)})
	}
	body, err := job.Encode(schema.Limits{})
	must(m.t, err)
	message := queue.Message{ID: id, Body: body}
	worker.InjectTrace(ctx, &message)
	must(m.t, m.jobs.Send(m.t.Context(), message))
	return span.SpanContext()
}

// take completes the next n messages of a queue.
func (m *mill) take(name string, n int) (taken []queue.Message) {
	m.t.Helper()
	from, err := m.client.Receiver(name)
	must(m.t, err)
	defer from.Close(context.WithoutCancel(m.t.Context()))
	ctx, cancel := context.WithTimeout(m.t.Context(), 10*time.Minute)
	defer cancel()
	for len(taken) < n {
		got, err := from.Receive(ctx, n-len(taken))
		must(m.t, err)
		for _, d := range got {
			must(m.t, d.Complete(ctx))
			taken = append(taken, d.Message)
		}
	}
	return taken
}

// pdata reads a message with spans as a Collector does.
func pdata(t *testing.T, m queue.Message) ptrace.Traces {
	t.Helper()
	if m.Subject != "otlp_spans" || m.ContentType != "application/x-protobuf" || m.ContentEncoding != "gzip" {
		t.Fatalf("got %q %q %q, want a message with spans", m.Subject, m.ContentType, m.ContentEncoding)
	}
	r, err := gzip.NewReader(bytes.NewReader(m.Body))
	must(t, err)
	plain, err := io.ReadAll(r)
	must(t, err)
	request := ptraceotlp.NewExportRequest()
	must(t, request.UnmarshalProto(plain))
	return request.Traces()
}

// each calls visit for each span.
func each(traces ptrace.Traces, visit func(ptrace.Span)) {
	for _, r := range traces.ResourceSpans().All() {
		for _, scope := range r.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				visit(span)
			}
		}
	}
}

// TestTracesFollowTheResult: one trace leads from the producer through receive,
// process, vault, reply and settlement, and its spans come on the reply queue
// after the result, in the form of OTLP.
func TestTracesFollowTheResult(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMill(t, nil)
		producer := m.submit("a", 2)
		got := m.take("replies", 2)
		result, err := schema.DecodeResult(got[0].Body)
		must(t, err)
		if result.TraceID != producer.TraceID().String() {
			t.Errorf("traceId: got %q, want %s", result.TraceID, producer.TraceID())
		}
		traces, names, ids := pdata(t, got[1]), map[string]int{}, map[string]string{producer.SpanID().String(): "producer"}
		each(traces, func(span ptrace.Span) { ids[span.SpanID().String()] = span.Name() })
		if sent, _ := worker.ExtractTrace(got[0]); ids[sent.SpanID().String()] != "send replies" || sent.TraceID() != producer.TraceID() {
			t.Errorf("reply: got context %v, want that of its send", sent)
		}
		above := map[string]string{
			"process jobs": "producer", "sign signmill": "process jobs", "send replies": "process jobs", "complete jobs": "process jobs",
			"GET /keys/{key-name}/{key-version}": "process jobs", "POST /keys/{key-name}/{key-version}/sign": "sign signmill",
		}
		each(traces, func(span ptrace.Span) {
			names[span.Name()]++
			if got := ids[span.ParentSpanID().String()]; got != above[span.Name()] {
				t.Errorf("%s: got it below %q, want %q", span.Name(), got, above[span.Name()])
			}
			if span.Name() == "receive jobs" { // it may be for many jobs
				if span.Links().Len() != 1 || span.Links().At(0).SpanID().String() != producer.SpanID().String() {
					t.Error("receive: want a link to the producer")
				}
				return
			}
			if span.TraceID().String() != producer.TraceID().String() {
				t.Errorf("%s: got trace %s, want %s", span.Name(), span.TraceID(), producer.TraceID())
			}
		})
		want := map[string]int{
			"receive jobs": 1, "process jobs": 1, "sign signmill": 1, "send replies": 1, "complete jobs": 1,
			"GET /keys/{key-name}/{key-version}": 2, "POST /keys/{key-name}/{key-version}/sign": 2,
		}
		if fmt.Sprint(names) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", names, want)
		}
		if name, _ := traces.ResourceSpans().At(0).Resource().Attributes().Get("service.name"); name.AsString() != "signmill" {
			t.Errorf("service.name: got %q, want signmill", name.AsString())
		}
		if got[1].Properties["spans"] != int64(9) || got[1].Properties["dropped"] != int64(0) {
			t.Errorf("got properties %v, want 9 spans and none dropped", got[1].Properties)
		}
	})
}

// TestDrainSendsTheLastTraces: what a worker did before its end is told.
func TestDrainSendsTheLastTraces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMill(t, func(o *workerOptions) { o.traceQueue = "traces" }, localQueue{Name: "traces"})
		producer := m.submit("a", 1)
		m.take("replies", 1)
		m.drain()
		found := false
		each(pdata(t, m.take("traces", 1)[0]), func(span ptrace.Span) {
			found = found || span.Name() == "complete jobs" && span.TraceID().String() == producer.TraceID().String()
		})
		if !found {
			t.Error("the settlement of the job is not among the spans")
		}
	})
}

// TestLaneIsTold: the spans of a lane's jobs name its queue.
func TestLaneIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMill(t, func(o *workerOptions) { o.traceQueue, o.lanes = "traces", []string{"urgent=urgent-jobs"} },
			localQueue{Name: "traces"}, localQueue{Name: "urgent-jobs"})
		urgent, err := m.client.Sender("urgent-jobs")
		must(t, err)
		m.jobs = urgent
		m.submit("a", 1)
		m.take("replies", 1)
		m.drain()
		found := false
		each(pdata(t, m.take("traces", 1)[0]), func(span ptrace.Span) {
			name, _ := span.Attributes().Get("messaging.destination.name")
			found = found || span.Name() == "process urgent-jobs" && name.Str() == "urgent-jobs"
		})
		if !found {
			t.Error("no span says that a job of urgent-jobs was processed")
		}
	})
}
