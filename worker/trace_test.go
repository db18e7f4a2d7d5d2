package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/localvault"
	"github.com/signmill/signmill/worker"
)

// spans are those of a test.
type spans struct {
	*tracetest.SpanRecorder
	trace.Tracer
}

// traced lets the worker and the vault's client of r record their spans.
func (r *rig) traced() spans {
	recorder := tracetest.NewSpanRecorder()
	s := spans{recorder, sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer("test")}
	var err error
	r.config.Keys, err = keyvault.New(keyvault.Config{Credential: anyToken{}, Transport: r.vault.RoundTripper(), Tracer: s})
	r.must(err)
	r.config.Telemetry = worker.Telemetry{Tracer: s, JobQueue: "jobs", Server: "example.servicebus.windows.net"}
	return s
}

// produce sends a job under a span of its producer.
func (s spans) produce(r *rig, j schema.Job) trace.SpanContext {
	ctx, span := s.Start(context.Background(), "send jobs", trace.WithSpanKind(trace.SpanKindProducer))
	defer span.End()
	m := queue.Message{ID: j.ID, Body: r.encode(j)}
	worker.InjectTrace(ctx, &m)
	r.send(m)
	return span.SpanContext()
}

// named returns the spans with a name, in the order of their ends.
func (s spans) named(name string) (found []sdktrace.ReadOnlySpan) {
	for _, span := range s.Ended() {
		if span.Name() == name {
			found = append(found, span)
		}
	}
	return found
}

// one returns the only span with a name.
func (s spans) one(t *testing.T, name string) sdktrace.ReadOnlySpan {
	t.Helper()
	found := s.named(name)
	if len(found) != 1 {
		t.Fatalf("got %d spans %q, want 1, among %s", len(found), name, s.list())
	}
	return found[0]
}

func (s spans) list() string {
	var b strings.Builder
	for _, span := range s.Ended() {
		fmt.Fprintf(&b, "\n%s %s %s %v", span.Name(), span.SpanKind(), span.Status().Code, span.Attributes())
	}
	return b.String()
}

// attributeOf returns an attribute of a span as text, or "".
func attributeOf(span sdktrace.ReadOnlySpan, name string) string {
	for _, a := range span.Attributes() {
		if string(a.Key) == name {
			return a.Value.String()
		}
	}
	return ""
}

const vaultCall = "POST /keys/{key-name}/{key-version}/sign"

// TestOneTraceFromProducerToSettlement follows one job.
func TestOneTraceFromProducerToSettlement(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		s := r.traced()
		drain := r.start()
		producer := s.produce(r, job("a", 2))
		result, reply := r.reply()
		drain()

		process := s.one(t, "process jobs")
		below := func(name string, parent trace.SpanContext) sdktrace.ReadOnlySpan {
			t.Helper()
			span := s.one(t, name)
			if span.SpanContext().TraceID() != producer.TraceID() || span.Parent().SpanID() != parent.SpanID() {
				t.Errorf("%s: got trace %s and parent %s, want %s and %s", name,
					span.SpanContext().TraceID(), span.Parent().SpanID(), producer.TraceID(), parent.SpanID())
			}
			return span
		}
		below("process jobs", producer)
		items := below("sign ec", process.SpanContext())
		below("complete jobs", process.SpanContext())
		send := below("send replies", process.SpanContext())
		for _, call := range s.named(vaultCall) {
			if call.Parent().SpanID() != items.SpanContext().SpanID() {
				t.Errorf("vault call: got parent %s, want %s", call.Parent().SpanID(), items.SpanContext().SpanID())
			}
		}
		if got := len(s.named(vaultCall)); got != 2 {
			t.Errorf("got %d spans of vault calls, want 2", got)
		}
		if got := attributeOf(items, "signmill.items"); got != "2" {
			t.Errorf("signmill.items: got %q, want 2", got)
		}
		if links := s.named("receive jobs")[0].Links(); len(links) != 1 || links[0].SpanContext.SpanID() != producer.SpanID() {
			t.Errorf("receive: got links %v, want one to the producer", links)
		}
		if got, _ := worker.ExtractTrace(reply.Message); got.SpanID() != send.SpanContext().SpanID() || got.TraceID() != producer.TraceID() {
			t.Errorf("reply: got context %v, want that of its send", got)
		}
		if reply.Properties["Diagnostic-Id"] != reply.Properties["traceparent"] {
			t.Errorf("Diagnostic-Id: got %v, want %v", reply.Properties["Diagnostic-Id"], reply.Properties["traceparent"])
		}
		if result.TraceID != producer.TraceID().String() {
			t.Errorf("traceId of the result: got %q, want %s", result.TraceID, producer.TraceID())
		}
	})
}

// TestLinkedTrace: with Link a job has a trace of its own.
func TestLinkedTrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		s := r.traced()
		r.config.Telemetry.Link = true
		drain := r.start()
		producer := s.produce(r, job("a", 1))
		result, _ := r.reply()
		drain()
		process := s.one(t, "process jobs")
		if process.Parent().IsValid() || process.SpanContext().TraceID() == producer.TraceID() {
			t.Errorf("got parent %v in trace %s, want a root in a trace of its own", process.Parent(), process.SpanContext().TraceID())
		}
		if links := process.Links(); len(links) != 1 || links[0].SpanContext.SpanID() != producer.SpanID() {
			t.Errorf("got links %v, want one to the producer", links)
		}
		if want := process.SpanContext().TraceID().String(); result.TraceID != want {
			t.Errorf("traceId of the result: got %q, want %s", result.TraceID, want)
		}
	})
}

// TestReplyPassesAForeignTraceOn: a worker without spans hands on the context
// that it got, and makes none up.
func TestReplyPassesAForeignTraceOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
		r := newRig(t)
		r.start()
		r.send(queue.Message{ID: "a", Body: r.encode(job("a", 1)), Properties: map[string]any{"traceparent": parent, "tracestate": "vendor=1"}})
		result, reply := r.reply()
		if reply.Properties["traceparent"] != parent || reply.Properties["tracestate"] != "vendor=1" || result.TraceID != parent[3:35] {
			t.Errorf("got %v and %q, want the context as it came", reply.Properties, result.TraceID)
		}
		r.submit(job("b", 1))
		if result, reply := r.reply(); len(reply.Properties) > 0 || result.TraceID != "" {
			t.Errorf("without a context: got %v and %q, want none", reply.Properties, result.TraceID)
		}
	})
}

// TestContextInBytes: a context that came in bytes is understood, goes out as text,
// and one that cannot be read is counted and begins a trace of the worker's own.
func TestContextInBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
		r := newRig(t)
		s := r.traced()
		reader := r.measured()
		drain := r.start()
		r.send(queue.Message{ID: "a", Body: r.encode(job("a", 1)), Properties: map[string]any{"traceparent": []byte(parent)}})
		result, reply := r.reply()
		if text, _ := reply.Properties["traceparent"].(string); result.TraceID != parent[3:35] || !strings.HasPrefix(text, parent[:35]) {
			t.Errorf("got %q and %v, want the trace of the bytes, as text", result.TraceID, reply.Properties)
		}
		for i, odd := range []any{[]byte{0, 0xff}, int64(7), true, "garbage"} {
			r.send(queue.Message{ID: fmt.Sprint(i), Body: r.encode(job(fmt.Sprint(i), 1)), Properties: map[string]any{"traceparent": odd}})
			if result, _ := r.reply(); len(result.TraceID) != 32 || result.TraceID == parent[3:35] {
				t.Errorf("%v: got trace %q, want a new one", odd, result.TraceID)
			}
		}
		drain()
		if got := r.reading(reader)["signmill.trace.malformed"]; got != 4 {
			t.Errorf("got %v contexts counted as malformed, want 4", got)
		}
		roots := 0
		for _, process := range s.named("process jobs") {
			if !process.Parent().IsValid() {
				roots++
			}
		}
		if roots != 4 {
			t.Errorf("got %d new roots, want 4", roots)
		}
	})
}

// TestFewSpansOfManyItems: the spans of a job do not grow with its items.
func TestFewSpansOfManyItems(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		s := r.traced()
		drain := r.start()
		r.submit(job("a", 100))
		r.reply()
		drain()
		if got := len(s.named(vaultCall)); got != 4 {
			t.Errorf("got %d spans of vault calls, want 4", got)
		}
	})
}

// TestSpansOfFailures: what fails says so, by words of a fixed list.
func TestSpansOfFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		s := r.traced()
		r.config.MaxDeliveries = 2
		drain := r.start()
		r.vault.SetFaults(localvault.Faults{Fail: 1000})
		r.submit(job("a", 1))
		r.reply()
		r.send(queue.Message{ID: "b", Body: []byte("no job")})
		r.take(r.receiver("jobs/$DeadLetterQueue"))
		r.take(r.receiver("jobs/$DeadLetterQueue"))
		drain()
		var got []string
		for _, span := range s.named("process jobs") {
			if span.Status().Code != codes.Error {
				t.Errorf("got status %v, want an error", span.Status())
			}
			got = append(got, attributeOf(span, "error.type"))
		}
		if want := "[unavailable attempts_exhausted not_json]"; fmt.Sprint(got) != want {
			t.Errorf("error.type: got %v, want %s", got, want)
		}
		if len(s.named("abandon jobs")) != 1 || len(s.named("dead_letter jobs")) != 2 {
			t.Errorf("got %s, want one abandon and two dead_letter", s.list())
		}
	})
}

// TestLogNamesTheTrace: the event of a job can be found by its trace.
func TestLogNamesTheTrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		s := r.traced()
		var log bytes.Buffer
		r.config.Log = slog.New(slog.NewJSONHandler(&log, nil))
		drain := r.start()
		s.produce(r, job("a", 1))
		r.reply()
		drain()
		process := s.one(t, "process jobs").SpanContext()
		for line := range strings.Lines(log.String()) {
			var event map[string]any
			r.must(json.Unmarshal([]byte(line), &event))
			if event["msg"] == "job answered" {
				if event["trace_id"] != process.TraceID().String() || event["span_id"] != process.SpanID().String() {
					t.Errorf("got %s, want the trace and the span of process", line)
				}
				return
			}
		}
		t.Errorf("no event of the job in %s", &log)
	})
}

// TestExtractTrace: whatever the properties hold, the answer is a context or
// none.
func TestExtractTrace(t *testing.T) {
	t.Parallel()
	const good, other = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	tests := []struct {
		name       string
		properties map[string]any
		trace      string // "" is none
		malformed  bool
	}{
		{"nothing", nil, "", false},
		{"traceparent", map[string]any{"traceparent": good}, good, false},
		{"bytes", map[string]any{"traceparent": []byte(good)}, good, false},
		{"both", map[string]any{"traceparent": good, "Diagnostic-Id": other}, good, false},
		{"Diagnostic-Id alone", map[string]any{"Diagnostic-Id": good}, good, false},
		{"hierarchical Diagnostic-Id", map[string]any{"Diagnostic-Id": "|abc.1."}, "", false},
		{"garbage", map[string]any{"traceparent": "garbage"}, "", true},
		{"garbage beside Diagnostic-Id", map[string]any{"traceparent": "garbage", "Diagnostic-Id": good}, "", true},
		{"capitals", map[string]any{"traceparent": strings.ToUpper(good)}, "", true},
		{"zeros", map[string]any{"traceparent": "00-00000000000000000000000000000000-00f067aa0ba902b7-01"}, "", true},
		{"number", map[string]any{"traceparent": int64(7)}, "", true},
		{"number beside Diagnostic-Id", map[string]any{"traceparent": true, "Diagnostic-Id": good}, "", true},
		{"bytes that are no text", map[string]any{"traceparent": []byte{0, 0, 0xff, 1}}, "", true},
		{"no bytes", map[string]any{"traceparent": []byte(nil)}, "", true},
		{"empty", map[string]any{"traceparent": "", "Diagnostic-Id": good}, good, false},
		{"odd companions", map[string]any{"traceparent": good, "tracestate": 1.5, "Diagnostic-Id": []byte{0xff}}, good, false},
		{"bad state", map[string]any{"traceparent": good, "tracestate": "no state"}, good, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			span, malformed := worker.ExtractTrace(queue.Message{Properties: test.properties})
			got := ""
			if span.IsValid() {
				got = fmt.Sprintf("00-%s-%s-%s", span.TraceID(), span.SpanID(), span.TraceFlags())
			}
			if got != test.trace || malformed != test.malformed {
				t.Errorf("got %q, %t, want %q, %t", got, malformed, test.trace, test.malformed)
			}
		})
	}
}
