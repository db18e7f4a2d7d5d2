package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/signer"
)

func disposition(o queue.Outcome) attribute.KeyValue {
	switch o {
	case queue.Complete:
		return semconv.MessagingServiceBusDispositionStatusComplete
	case queue.DeadLetter:
		return semconv.MessagingServiceBusDispositionStatusDeadLetter
	}
	return semconv.MessagingServiceBusDispositionStatusAbandon
}

// conclude tells what a delivery came to; err is why it could not be settled. A
// job that was answered is a success, also when the answer is a refusal.
func (o *observer) conclude(ctx context.Context, d *heldDelivery, v verdict, err error) {
	kind := ""
	switch {
	case err != nil:
		kind = errorType(err)
	case v.outcome == queue.DeadLetter:
		kind = string(v.reason)
	case v.outcome == queue.Abandon || v.putOff:
		kind = errorType(v.cause)
	}
	o.meters.processed(ctx, d.from.queue, time.Since(d.began), kind)
	o.tally.concluded(d, v, kind)
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	if v.result != nil {
		span.SetAttributes(attributeStatus.String(string(v.result.Status)))
	}
	if kind != "" {
		fail(span, kind)
	}
}

// failed marks a span as failed, unless err is nil.
func failed(span trace.Span, err error) {
	if err != nil && span.IsRecording() {
		fail(span, errorType(err))
	}
}

// fail marks a span. It tells no text: an error may quote what must not leave.
func fail(span trace.Span, kind string) {
	span.SetAttributes(semconv.ErrorTypeKey.String(kind))
	span.SetStatus(codes.Error, kind)
}

// errorType is the value of error.type: the service's word for a failure of the
// broker, schema's code for one of the signer; "" for none.
func errorType(err error) string {
	if err == nil {
		return ""
	}
	kinds := []struct {
		err  error
		name string
	}{
		{queue.ErrLockLost, "MessageLockLost"},
		{queue.ErrNotFound, "MessagingEntityNotFound"},
		{queue.ErrUnauthorized, "Unauthorized"},
		{queue.ErrTooLarge, "MessageSizeExceeded"},
		{context.DeadlineExceeded, "timeout"},
		{context.Canceled, "canceled"},
	}
	if e, ok := errors.AsType[*signer.Error](err); ok {
		return string(e.Code)
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.name
		}
	}
	return "_OTHER"
}

// traceID returns the trace of ctx in hex digits, or "".
func traceID(ctx context.Context) string {
	if c := trace.SpanContextFromContext(ctx); c.IsValid() {
		return c.TraceID().String()
	}
	return ""
}

// traced returns log with the trace and the span of ctx, if there is one.
func traced(ctx context.Context, log *slog.Logger) *slog.Logger {
	c := trace.SpanContextFromContext(ctx)
	if !c.IsValid() {
		return log
	}
	return log.With("trace_id", c.TraceID().String(), "span_id", c.SpanID().String())
}
