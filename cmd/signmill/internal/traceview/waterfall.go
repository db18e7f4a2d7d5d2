package traceview

import (
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
)

// Columns of a waterfall.
const (
	nameColumns = 52
	barColumns  = 40
)

// waterfall is one trace, or as much of it as one message holds.
type waterfall struct {
	id         string
	spans      []*tracepb.Span // by start
	below      map[string][]*tracepb.Span
	start, end uint64 // of the whole, in ns
}

// Waterfalls draws the traces among spans, the first one first. An error of w ends
// it.
func Waterfalls(w io.Writer, spans []*tracepb.Span) error {
	for _, f := range waterfalls(spans) {
		if _, err := io.WriteString(w, f.text()); err != nil {
			return err
		}
	}
	return nil
}

// waterfalls sorts spans by trace.
func waterfalls(spans []*tracepb.Span) (all []*waterfall) {
	spans = slices.Clone(spans)
	slices.SortStableFunc(spans, func(a, b *tracepb.Span) int { return compare(a.StartTimeUnixNano, b.StartTimeUnixNano) })
	byID := map[string]*waterfall{}
	for _, s := range spans {
		f := byID[string(s.TraceId)]
		if f == nil {
			f = &waterfall{id: hex.EncodeToString(s.TraceId), below: map[string][]*tracepb.Span{}, start: s.StartTimeUnixNano}
			byID[string(s.TraceId)] = f
			all = append(all, f)
		}
		f.spans = append(f.spans, s)
		f.end = max(f.end, s.StartTimeUnixNano, s.EndTimeUnixNano)
	}
	for _, f := range all {
		f.sort()
	}
	return all
}

func compare(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// sort finds what stands below what. A span whose parent is elsewhere, and one
// that would stand below itself, stands at the left.
func (f *waterfall) sort() {
	here := map[string]bool{}
	for _, s := range f.spans {
		parent := string(s.ParentSpanId)
		if !here[parent] {
			parent = "" // not among those that began before
		}
		f.below[parent] = append(f.below[parent], s)
		here[string(s.SpanId)] = true
	}
}

// text draws the trace.
func (f *waterfall) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "trace %s  %s\n", f.id, round(time.Duration(f.end-f.start)))
	f.draw(&b, "", 1)
	b.WriteByte('\n')
	return b.String()
}

// draw draws what stands below a span, once: two spans may have the same id.
func (f *waterfall) draw(b *strings.Builder, parent string, depth int) {
	below := f.below[parent]
	delete(f.below, parent)
	for _, s := range below {
		name := strings.Repeat("  ", min(depth, nameColumns)) + display.OneLine(s.Name)
		if utf8.RuneCountInString(name) > nameColumns {
			name = string([]rune(name)[:nameColumns-1]) + "…"
		}
		mark := ""
		if hasFailed(s) {
			mark = "  ✗ " + display.OneLine(s.GetStatus().GetMessage())
		}
		fmt.Fprintf(b, "%-*s %s %10s%s\n", nameColumns, name, f.bar(s), round(lengthOf(s)), mark)
		if len(s.SpanId) > 0 {
			f.draw(b, string(s.SpanId), depth+1)
		}
	}
}

// bar shows when a span was, in relation to the whole.
func (f *waterfall) bar(s *tracepb.Span) string {
	whole := max(1, float64(f.end-f.start))
	from := int(float64(s.StartTimeUnixNano-f.start) / whole * barColumns)
	from = min(from, barColumns-1)
	n := min(max(1, int(float64(lengthOf(s))/whole*barColumns+0.5)), barColumns-from)
	return strings.Repeat(" ", from) + strings.Repeat("━", n) + strings.Repeat(" ", barColumns-from-n)
}

// lengthOf returns how long a span took; one that ends before it begins took
// nothing.
func lengthOf(s *tracepb.Span) time.Duration {
	return time.Duration(max(s.EndTimeUnixNano, s.StartTimeUnixNano) - s.StartTimeUnixNano)
}

func hasFailed(s *tracepb.Span) bool {
	return s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR
}

// round leaves three digits of a duration or so.
func round(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	case d > time.Millisecond:
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}
