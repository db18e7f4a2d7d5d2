package main

import (
	"context"
	"log/slog"
	"os"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/worker"
)

// tracedJobs sends jobs, each with the context of a span of its own below the
// command's.
type tracedJobs struct {
	queue.Sender
	tracer trace.Tracer
	root   trace.Span
	name   string // of the queue
}

// traced begins the span of the command, which ends with l. What cannot be
// exported still names the trace, so that the spans of all workers meet in it.
func (o queueOptions) traced(jobs queue.Sender, l *links, log *slog.Logger) (queue.Sender, error) {
	t, err := newTelemetry(log)
	if err != nil {
		return nil, err
	}
	if sdkDisabled() {
		return jobs, nil
	}
	if t.spans == nil {
		t.spans = sdktrace.NewTracerProvider()
	}
	tracer := t.tracer()
	_, root := tracer.Start(callerTrace(), "signmill "+o.name)
	l.closing = append([]func(){func() { root.End(); t.close() }}, l.closing...)
	return &tracedJobs{jobs, tracer, root, o.jobs}, nil
}

// callerTrace returns a context with the span that the environment names, as
// OpenTelemetry has it for processes.
func callerTrace() context.Context {
	return propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{
		"traceparent": os.Getenv("TRACEPARENT"), "tracestate": os.Getenv("TRACESTATE"),
	})
}

// Send implements [queue.Sender].
func (j *tracedJobs) Send(ctx context.Context, messages ...queue.Message) error {
	ctx = trace.ContextWithSpan(ctx, j.root)
	for i := range messages {
		ctx, span := j.tracer.Start(ctx, "send "+j.name, trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
			semconv.MessagingSystemServiceBus, semconv.MessagingOperationName("send"), semconv.MessagingOperationTypeSend,
			semconv.MessagingDestinationName(j.name), semconv.MessagingMessageID(messages[i].ID)))
		worker.InjectTrace(ctx, &messages[i])
		defer span.End()
	}
	err := j.Sender.Send(ctx, messages...)
	if err != nil {
		j.root.SetStatus(codes.Error, "a job was not sent")
	}
	return err
}
