package spanqueue

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/servicebus"
)

// inMemory is how clients reach a broker in memory.
const inMemory = "Endpoint=sb://localhost;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;"

// rig is a broker in memory with a queue for traces.
type rig struct {
	t      *testing.T
	bus    *localbus.Server
	client *servicebus.Client
	to     *servicebus.Sender
}

func newRig(t *testing.T) *rig {
	t.Helper()
	bus, err := localbus.New(localbus.Config{Queues: []localbus.Queue{{Name: "traces"}}})
	must(t, err)
	t.Cleanup(func() { must(t, bus.Close()) })
	client, err := servicebus.New(servicebus.Config{ConnectionString: inMemory,
		Dial: func(ctx context.Context, _ string) (net.Conn, error) { return bus.Dial(ctx) }})
	must(t, err)
	t.Cleanup(func() { client.Close(context.WithoutCancel(t.Context())) })
	to, err := client.Sender("traces")
	must(t, err)
	return &rig{t, bus, client, to}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r *rig) receiver(name string) *servicebus.Receiver {
	r.t.Helper()
	from, err := r.client.Receiver(name)
	must(r.t, err)
	return from
}

// take completes n messages of a queue.
func (r *rig) take(name string, n int) (taken []queue.Message) {
	r.t.Helper()
	from := r.receiver(name)
	defer from.Close(context.WithoutCancel(r.t.Context()))
	ctx, cancel := context.WithTimeout(r.t.Context(), 10*time.Minute)
	defer cancel()
	for len(taken) < n {
		got, err := from.Receive(ctx, n-len(taken))
		must(r.t, err)
		for _, d := range got {
			must(r.t, d.Complete(ctx))
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
	return decode(t, m.Body)
}

// decode reads a body as a Collector does.
func decode(t *testing.T, body []byte) ptrace.Traces {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(body))
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
