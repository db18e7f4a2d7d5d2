package worker

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Telemetry says what is told of a worker's jobs. The zero value tells nothing;
// a reply then carries the trace context of its job as it came.
//
// Spans follow the messaging conventions for Service Bus at version 1.43.0:
// receive, process, send and settle. Below process stand one span for the items
// of the job, and those of the signer for the first [tracedItems] of them.
type Telemetry struct {
	Tracer   trace.Tracer // makes the spans; nil: there are none
	Meter    metric.Meter // measures what Metrics lists; nil: nothing is measured
	Link     bool         // a job's span begins a trace of its own and links the producer's; false: it is a part of the producer's trace
	JobQueue string       // name of the job queue; that of a lane has its own
	Server   string       // host of the broker; "" leaves it out
}

// tracedItems is for how many items of a job the signer makes spans: the spans
// of thousands of calls would tell nothing more, and each costs as much as a tenth
// of a call.
const tracedItems = 4

// observer tells of the work as Telemetry says.
type observer struct {
	Telemetry
	on     bool                 // there are spans
	common []attribute.KeyValue // of every messaging span
	meters *meters
	tally  tally
}

func newObserver(t Telemetry) *observer {
	o := &observer{Telemetry: t, on: t.Tracer != nil, common: []attribute.KeyValue{semconv.MessagingSystemServiceBus}}
	if !o.on {
		o.Tracer = noop.Tracer{}
	}
	if t.Server != "" {
		o.common = append(o.common, semconv.ServerAddress(t.Server))
	}
	return o
}
