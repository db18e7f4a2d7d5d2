package traceview

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

var update = flag.Bool("update", false, "write the drawings anew")

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// spanFrom makes a span of a trace of 10 ms.
func spanFrom(id, parent byte, name string, from, to int) *tracepb.Span {
	s := &tracepb.Span{
		TraceId: bytes.Repeat([]byte{1}, 16), SpanId: []byte{id}, Name: name,
		StartTimeUnixNano: 1e18 + uint64(from)*1e5, EndTimeUnixNano: 1e18 + uint64(to)*1e5,
	}
	if parent > 0 {
		s.ParentSpanId = []byte{parent}
	}
	return s
}

// TestWaterfalls compares with a golden file: order, depth, failures, names that
// would mislead, spans whose parent is elsewhere, and a circle.
func TestWaterfalls(t *testing.T) {
	t.Parallel()
	failed := spanFrom(4, 3, "POST /keys/{key-name}/{key-version}/sign", 20, 60)
	failed.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: "503"}
	other := spanFrom(9, 9, "\x1b[2Jits own parent", 10, 5)
	other.TraceId = bytes.Repeat([]byte{2}, 16)
	spans := []*tracepb.Span{
		spanFrom(6, 2, "complete jobs", 90, 100), failed,
		spanFrom(5, 2, "send replies", 70, 90), spanFrom(3, 2, "sign invoices", 10, 70),
		spanFrom(2, 1, "process jobs", 0, 100), other,
		spanFrom(7, 3, strings.Repeat("long ", 20), 99, 100),
	}
	var got bytes.Buffer
	must(t, Waterfalls(&got, spans))
	path := filepath.Join("testdata", "waterfall.txt")
	if *update {
		must(t, os.WriteFile(path, got.Bytes(), 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if got.String() != string(want) {
		t.Errorf("got:\n%s", &got)
	}
}

// TestLines: one object for each span, whatever its attributes are.
func TestLines(t *testing.T) {
	t.Parallel()
	s := spanFrom(2, 1, "process jobs", 0, 15)
	s.Kind = tracepb.Span_SPAN_KIND_CONSUMER
	for key, value := range map[string]*commonpb.AnyValue{
		"n": {Value: &commonpb.AnyValue_IntValue{IntValue: 7}}, "x": {Value: &commonpb.AnyValue_DoubleValue{DoubleValue: 0.5}},
		"s": {Value: &commonpb.AnyValue_StringValue{StringValue: "a"}}, "b": {Value: &commonpb.AnyValue_BoolValue{BoolValue: true}},
		"nan": {Value: &commonpb.AnyValue_DoubleValue{DoubleValue: math.NaN()}}, "inf": {Value: &commonpb.AnyValue_DoubleValue{DoubleValue: math.Inf(-1)}},
	} {
		s.Attributes = append(s.Attributes, &commonpb.KeyValue{Key: key, Value: value})
	}
	var got bytes.Buffer
	must(t, Lines(&got, []*tracepb.Span{s}))
	const want = `{"traceId":"01010101010101010101010101010101","spanId":"02","parentSpanId":"01","name":"process jobs","kind":"consumer",` +
		`"start":"2001-09-09T01:46:40Z","durationMs":1.5,"failed":false,"attributes":{"b":true,"inf":"-Inf","n":7,"nan":"NaN","s":"a","x":0.5}}` + "\n"
	if got.String() != want {
		t.Errorf("got  %swant %s", &got, want)
	}
}

// TestStrangeSpans: what a stranger may put on the queue is shown, each span once.
func TestStrangeSpans(t *testing.T) {
	t.Parallel()
	chain := make([]*tracepb.Span, 30) // each with a copy that would stand above the next, too
	for i := range chain {
		chain[i] = spanFrom(byte(i/2+1), byte(i/2), "link", i, 100)
	}
	tests := map[string][]*tracepb.Span{
		"copies":                    chain,
		"copies of their own child": {spanFrom(9, 9, "a", 0, 1), spanFrom(9, 9, "b", 0, 1)},
		"a circle":                  {spanFrom(1, 2, "a", 0, 1), spanFrom(2, 1, "b", 0, 1), spanFrom(1, 2, "c", 0, 1)},
		"no ids":                    {spanFrom(1, 0, "a", 0, 1), {}, {}},
		"times at the end":          {{StartTimeUnixNano: 0, EndTimeUnixNano: math.MaxUint64}, {StartTimeUnixNano: math.MaxUint64}},
	}
	for name, spans := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var drawn, lines bytes.Buffer
			must(t, Waterfalls(&drawn, spans))
			must(t, Lines(&lines, spans))
			if got := strings.Count(drawn.String(), "━ "); got != len(spans) {
				t.Errorf("got %d spans drawn, want %d:\n%s", got, len(spans), &drawn)
			}
			if got := strings.Count(lines.String(), "\n"); got != len(spans) {
				t.Errorf("got %d lines, want %d:\n%s", got, len(spans), &lines)
			}
		})
	}
}
