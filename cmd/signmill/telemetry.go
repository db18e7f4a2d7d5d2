package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/signmill/signmill/cmd/signmill/internal/spanqueue"
	"github.com/signmill/signmill/queue"
)

// scopeName names what makes our spans and measurements.
const scopeName = "github.com/signmill/signmill"

// telemetry is where the spans of a process go.
type telemetry struct {
	log      *slog.Logger
	spans    *sdktrace.TracerProvider // nil: there are none
	onQueue  bool                     // they also go to a queue
	queue    *spanqueue.Processor     // that one; nil: not yet, or none
	measured *measurements            // nil: nothing is measured
}

// newTelemetry makes what the standard variables of OpenTelemetry ask for.
// Without OTEL_TRACES_EXPORTER the spans go to otherwise, and to an endpoint
// that the variables name. It connects to nothing.
func newTelemetry(log *slog.Logger, otherwise ...string) (*telemetry, error) {
	t := &telemetry{log: log}
	names, err := exporterNames(signalTraces, otherwise)
	if err != nil || len(names) == 0 {
		return t, err
	}
	from, err := describeProcess()
	if err != nil {
		return nil, err
	}
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(from)}
	for _, name := range names {
		if name == exportServiceBus {
			t.onQueue = true
			continue
		}
		exporter, err := newSpanExporter(name)
		if err != nil {
			return nil, err
		}
		options = append(options, sdktrace.WithBatcher(exporter))
	}
	t.handleErrors()
	t.spans = sdktrace.NewTracerProvider(options...)
	return t, nil
}

// describeProcess tells who makes the telemetry: by OTEL_SERVICE_NAME and
// OTEL_RESOURCE_ATTRIBUTES, else by what the process knows of itself.
func describeProcess() (*resource.Resource, error) {
	host, _ := os.Hostname() //nolint:errcheck // "" is left out
	attributes := []attribute.KeyValue{semconv.ServiceName("signmill"), semconv.ServiceVersion(readVersion().Version)}
	if host != "" {
		attributes = append(attributes, semconv.ServiceInstanceID(host))
	}
	r, err := resource.New(context.Background(), resource.WithAttributes(attributes...), resource.WithTelemetrySDK(), resource.WithFromEnv())
	if errors.Is(err, resource.ErrPartialResource) {
		return r, nil
	}
	return r, usageError(err)
}

// tracer returns the maker of spans, or nil.
func (t *telemetry) tracer() trace.Tracer {
	if t.spans == nil {
		return nil
	}
	return t.spans.Tracer(scopeName)
}

// sendTo lets the spans go to a queue, too, if the variables ask for it.
func (t *telemetry) sendTo(sender queue.Sender) {
	t.queue = spanqueue.New(sender, t.log)
	t.spans.RegisterSpanProcessor(t.queue)
}

// flushTimeout is how long the end of a process may take for its telemetry.
const flushTimeout = 3 * time.Second

// handleErrors lets the SDK tell the log what went wrong.
func (t *telemetry) handleErrors() {
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { t.log.Warn("telemetry", "error", err) }))
}

// close sends what is left. What cannot be sent in time is lost.
func (t *telemetry) close() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	var err error
	if t.spans != nil {
		err = t.spans.Shutdown(ctx)
	}
	if t.measured != nil && t.measured.provider != nil {
		err = errors.Join(err, t.measured.provider.Shutdown(ctx))
	}
	if err != nil {
		t.log.Warn("telemetry is lost", "error", err)
	}
}
