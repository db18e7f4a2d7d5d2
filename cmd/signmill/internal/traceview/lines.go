package traceview

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// line is a span in JSON.
type line struct {
	Trace      string         `json:"traceId"`
	Span       string         `json:"spanId"`
	Parent     string         `json:"parentSpanId,omitempty"`
	Name       string         `json:"name"`
	Kind       string         `json:"kind"`
	Start      time.Time      `json:"start"`
	Millis     float64        `json:"durationMs"`
	Failed     bool           `json:"failed"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

// Lines writes a JSON object for each span, in their order, each in a line. An
// error of w ends it.
func Lines(w io.Writer, spans []*tracepb.Span) error {
	out := json.NewEncoder(w)
	for _, s := range spans {
		l := line{
			Trace: hex.EncodeToString(s.TraceId), Span: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId),
			Name: s.Name, Kind: kindOf(s.Kind), Start: time.Unix(0, int64(s.StartTimeUnixNano)).UTC(),
			Millis: float64(lengthOf(s)) / float64(time.Millisecond), Failed: hasFailed(s), Attributes: map[string]any{},
		}
		for _, a := range s.Attributes {
			l.Attributes[a.Key] = plainValue(a.Value)
		}
		if err := out.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

// plainValue returns a value that JSON can show.
func plainValue(v *commonpb.AnyValue) any {
	switch v := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return v.StringValue
	case *commonpb.AnyValue_IntValue:
		return v.IntValue
	case *commonpb.AnyValue_DoubleValue:
		if math.IsNaN(v.DoubleValue) || math.IsInf(v.DoubleValue, 0) {
			return fmt.Sprint(v.DoubleValue)
		}
		return v.DoubleValue
	case *commonpb.AnyValue_BoolValue:
		return v.BoolValue
	}
	return v.String()
}

// kindOf returns the kind of a span in one word.
func kindOf(k tracepb.Span_SpanKind) string {
	return strings.ToLower(strings.TrimPrefix(k.String(), "SPAN_KIND_"))
}
