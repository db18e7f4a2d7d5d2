package worker

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/signmill/signmill/queue"
)

// The application properties that hold a trace context. All are strings, or read
// as such where a sender wrote bytes. W3C
// Trace Context has no binding to AMQP that is in force; this is how Azure's
// clients do it.
const (
	propertyTraceParent  = "traceparent"
	propertyTraceState   = "tracestate"
	propertyDiagnosticID = "Diagnostic-Id" // older than the others, and equal to traceparent
)

// InjectTrace writes the span of ctx into the properties of m, which it makes
// where there are none. Without a span it does nothing.
func InjectTrace(ctx context.Context, m *queue.Message) {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return
	}
	if m.Properties == nil {
		m.Properties = make(map[string]any, 3)
	}
	propagation.TraceContext{}.Inject(ctx, carrier(m.Properties))
	m.Properties[propertyDiagnosticID] = m.Properties[propertyTraceParent]
}

// ExtractTrace returns the span that the properties of m name. It is not valid
// when there is none, or none that can be read; malformed tells the two apart.
func ExtractTrace(m queue.Message) (span trace.SpanContext, malformed bool) {
	if len(m.Properties) == 0 {
		return span, false
	}
	c := carrier(m.Properties)
	if value, there := c[propertyTraceParent]; !there || value == "" {
		return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), legacy{c})), false
	}
	span = trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), c))
	return span, !span.IsValid()
}

// carrier is the properties of a message. What is not text is not there.
type carrier map[string]any

// Get implements propagation.TextMapCarrier.
func (c carrier) Get(key string) string {
	switch v := c[key].(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

// Set implements propagation.TextMapCarrier.
func (c carrier) Set(key, value string) { c[key] = value }

// Keys implements propagation.TextMapCarrier.
func (c carrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for key := range c {
		keys = append(keys, key)
	}
	return keys
}

// legacy reads the Diagnostic-Id in place of the traceparent. Its older form,
// which begins with a bar, names no trace.
type legacy struct{ carrier }

// Get implements propagation.TextMapCarrier.
func (l legacy) Get(key string) string {
	if strings.EqualFold(key, propertyTraceParent) {
		return l.carrier.Get(propertyDiagnosticID)
	}
	return l.carrier.Get(key)
}
