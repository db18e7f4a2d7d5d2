package spanqueue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/signmill/signmill/queue"
)

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
	err := (&sender{queue: to}).UploadTraces(t.Context(), []*tracepb.ResourceSpans{
		{ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans[:90]}, {Spans: spans[90:100]}}}, {ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans[100:]}}},
	})
	if some, ok := errors.AsType[*lost](err); !ok || some.n != 1 || !errors.Is(err, queue.ErrTooLarge) {
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
