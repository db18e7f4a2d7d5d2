package spanqueue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/signmill/signmill/cmd/signmill/internal/otlp"
	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
)

// sink is an endpoint for OTLP over HTTP that answers what it is told, and 200
// afterwards. It is reached in memory.
type sink struct {
	t       *testing.T
	answers []int
	back    time.Time  // before which nobody answers
	mu      sync.Mutex // guards the fields below
	times   []time.Time
	names   []string
}

func (s *sink) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.times = append(s.times, time.Now())
	n := len(s.times)
	switch {
	case time.Now().Before(s.back) && n%2 == 0:
		return nil, errors.New("connection refused")
	case time.Now().Before(s.back):
		w.WriteHeader(http.StatusServiceUnavailable)
	case n <= len(s.answers):
		w.Header().Set("Retry-After", "20")
		w.WriteHeader(s.answers[n-1])
	case req.Header.Get("Content-Type") != "application/x-protobuf" || req.Header.Get("Content-Encoding") != "gzip":
		w.WriteHeader(http.StatusUnsupportedMediaType)
	default:
		body, err := io.ReadAll(req.Body)
		must(s.t, err)
		each(decode(s.t, body), func(span ptrace.Span) { s.names = append(s.names, span.Name()) })
	}
	return w.Result(), nil
}

func newSink(t *testing.T, answers ...int) (*sink, *otlp.Endpoint) {
	s := &sink{t: t, answers: answers}
	target, err := otlp.New(otlp.Config{URL: "http://collector.invalid/v1/traces", Transport: s})
	must(t, err)
	return s, target
}

// send puts one span of each name on the queue traces, each in a message.
func (r *rig) send(names ...string) {
	r.t.Helper()
	for _, name := range names {
		must(r.t, (&sender{queue: r.to}).UploadTraces(r.t.Context(), requestOf(&tracepb.Span{TraceId: make([]byte, 16), Name: name})))
	}
}

func requestOf(spans ...*tracepb.Span) []*tracepb.ResourceSpans {
	return []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans}}}}
}

// relays runs a relay for a while.
func (r *rig) relays(target *otlp.Endpoint, d time.Duration) error {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), d)
	defer cancel()
	return Reader{From: r.receiver("traces"), Advice: "what to do"}.Each(ctx, NewRelay(target, slog.New(slog.DiscardHandler)).Take)
}

// TestRelay: a message is gone when the endpoint has it, comes again while the
// endpoint is busy, and is set aside when it is refused.
func TestRelay(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		answers     []int
		want        string // spans that arrived
		deadLetters int
		waits       time.Duration // before the second request at least
	}{
		{"accepted", nil, "[a b]", 0, 0},
		{"busy", []int{429, 503}, "[a b]", 0, 20 * time.Second},
		{"refused", []int{400}, "[b]", 1, 0},
		{"wrong address", []int{404, 404}, "[]", 2, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.send("a", "b")
				s, target := newSink(t, test.answers...)
				must(t, r.relays(target, 5*time.Minute))
				slices.Sort(s.names)
				if got := fmt.Sprint(s.names); got != test.want {
					t.Errorf("got spans %s, want %s", got, test.want)
				}
				if waited := s.times[1].Sub(s.times[0]); waited < test.waits {
					t.Errorf("got a second request after %s, want %s at least", waited, test.waits)
				}
				r.take("traces/$DeadLetterQueue", test.deadLetters)
			})
		})
	}
}

// TestRelayOutage: an endpoint that is away for hours costs no message a
// delivery, and every one arrives in the end, though a lock is lost in between.
func TestRelayOutage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		loses  bool   // a lock
		counts string // of failed deliveries
	}{{false, "[1 0 0]"}, {true, "[2 0 0]"}}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			began := time.Now()
			r.send("a", "b", "c")
			s, target := newSink(t)
			s.back = began.Add(50 * time.Minute)
			if test.loses {
				time.AfterFunc(20*time.Minute, func() { r.bus.LoseLocks("traces") })
			}
			must(t, r.relays(target, 30*time.Minute)) // which gives its message back at the end
			waiting, err := r.receiver("traces").Browse(t.Context(), 0, 10)
			must(t, err)
			if len(waiting) != 3 {
				t.Fatalf("got %d messages on the queue, want 3", len(waiting))
			}
			if got, want := []int{waiting[0].Count, waiting[1].Count, waiting[2].Count}, test.counts; fmt.Sprint(got) != want {
				t.Errorf("got %v deliveries that failed, want %v", got, want)
			}
			must(t, r.relays(target, time.Hour))
			slices.Sort(s.names)
			if got := fmt.Sprint(s.names); got != "[a b c]" {
				t.Errorf("got spans %s, want all", got)
			}
			if requests := len(s.times); requests > 100 {
				t.Errorf("got %d requests in 50 minutes, want pauses", requests)
			}
		})
	}
}

// TestRelayTouchesNoResult: what is no trace is given back, and the relay ends.
func TestRelayTouchesNoResult(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		must(t, r.to.Send(t.Context(), queue.Message{ID: "result", Subject: schema.ResultVersion}))
		_, target := newSink(t)
		if err := r.relays(target, time.Minute); err == nil || !strings.HasSuffix(err.Error(), "given back: what to do") {
			t.Errorf("got %v, want what to do", err)
		}
		if got := r.take("traces", 1); got[0].ID != "result" {
			t.Errorf("got %q, want the result", got[0].ID)
		}
	})
}
