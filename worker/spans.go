package worker

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Attributes of ours.
const (
	attributeOperation = attribute.Key("signmill.operation") // by schema's names
	attributeKey       = attribute.Key("signmill.key")       // the alias
	attributeKID       = attribute.Key("signmill.kid")
	attributeAlgorithm = attribute.Key("signmill.algorithm")
	attributeItems     = attribute.Key("signmill.items")        // of the job
	attributeFailed    = attribute.Key("signmill.items.failed") // of these
	attributeJob       = attribute.Key("signmill.job.id")
	attributeStatus    = attribute.Key("signmill.status") // of the result
)

// receive is Receive of a job queue, observed.
func (o *observer) receive(ctx context.Context, from *source, limit int) ([]*queue.Delivery, error) {
	began := time.Now()
	deliveries, err := o.receiveSpan(ctx, from, limit)
	if ctx.Err() == nil || len(deliveries) > 0 {
		o.meters.received(ctx, from.queue, time.Since(began), deliveries, err)
	}
	return deliveries, err
}

// receiveSpan makes a span that links the producers.
func (o *observer) receiveSpan(ctx context.Context, from *source, limit int) ([]*queue.Delivery, error) {
	if !o.on {
		return from.jobs.Receive(ctx, limit)
	}
	ctx, span := o.start(ctx, "receive", from.queue, trace.SpanKindClient)
	defer span.End()
	deliveries, err := from.jobs.Receive(ctx, limit)
	o.describe(span, "receive", from.queue, semconv.MessagingOperationTypeReceive, semconv.MessagingBatchMessageCount(len(deliveries)))
	for _, d := range deliveries {
		producer, _ := ExtractTrace(d.Message)
		if producer.IsValid() {
			span.AddLink(trace.Link{SpanContext: producer, Attributes: []attribute.KeyValue{semconv.MessagingMessageID(d.ID)}})
		}
	}
	if ctx.Err() == nil {
		failed(span, err)
	}
	return deliveries, err
}

// start begins a span on a queue, which describe describes.
func (o *observer) start(ctx context.Context, operation, name string, kind trace.SpanKind, more ...trace.SpanStartOption) (context.Context, trace.Span) {
	return o.Tracer.Start(ctx, operation+" "+name, append(more, trace.WithSpanKind(kind))...) //nolint:spancheck // the caller ends it
}

// describe gives a span on a queue its attributes, in one go, because each further
// one would copy them all, and only if it is recorded. No sampler that the standard
// variables name asks for them.
func (o *observer) describe(span trace.Span, operation, name string, more ...attribute.KeyValue) {
	if !span.IsRecording() {
		return
	}
	all := append(make([]attribute.KeyValue, 0, len(o.common)+2+len(more)), o.common...)
	all = append(all, semconv.MessagingOperationName(operation), semconv.MessagingDestinationName(name))
	span.SetAttributes(append(all, more...)...)
}

// process begins the span of a delivery. The contexts that it returns hold it;
// without spans they hold the producer's, so that the reply passes it on.
func (o *observer) process(work, last context.Context, d *heldDelivery) (_, _ context.Context, end func()) {
	o.tally.begin(d)
	producer, _ := ExtractTrace(d.Message)
	if !o.on {
		return passOn(work, producer), passOn(last, producer), func() { o.tally.end(d) }
	}
	var links []trace.Link
	if producer.IsValid() && o.Link {
		links = []trace.Link{{SpanContext: producer}}
		producer = trace.SpanContext{}
	}
	last, span := o.start(passOn(last, producer), "process", d.from.queue, trace.SpanKindConsumer, trace.WithLinks(links...))
	o.describe(span, "process", d.from.queue, about(d)...)
	return trace.ContextWithSpan(work, span), last, func() { span.End(); o.tally.end(d) }
}

// passOn returns ctx with another's span, if there is one.
func passOn(ctx context.Context, span trace.SpanContext) context.Context {
	if !span.IsValid() {
		return ctx
	}
	return trace.ContextWithRemoteSpanContext(ctx, span)
}

// about describes a delivery.
func about(d *heldDelivery) []attribute.KeyValue {
	attributes := []attribute.KeyValue{
		semconv.MessagingOperationTypeProcess,
		semconv.MessagingMessageID(d.ID),
		semconv.MessagingServiceBusMessageDeliveryCount(d.Count),
		semconv.MessagingServiceBusMessageEnqueuedTime(int(d.EnqueuedAt.Unix())),
	}
	if id := correlationID(d.Message); id != "" {
		attributes = append(attributes, semconv.MessagingMessageConversationID(id))
	}
	return attributes
}

// items begins the span of all items of a job.
func (o *observer) items(ctx context.Context, job schema.Job, key signer.Key) context.Context {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx
	}
	trace.SpanFromContext(ctx).SetAttributes(attributeJob.String(job.ID))
	ctx, _ = o.Tracer.Start(ctx, string(job.Operation)+" "+job.Key) //nolint:spancheck // endItems ends it
	trace.SpanFromContext(ctx).SetAttributes(
		attributeOperation.String(string(job.Operation)),
		attributeKey.String(job.Key),
		attributeKID.String(key.KID),
		attributeAlgorithm.String(string(job.Algorithm)),
		attributeItems.Int(len(job.Items)))
	return ctx
}

// endItems ends the span of ctx, if items began one; cause is the first failure.
func (o *observer) endItems(ctx context.Context, job schema.Job, items []schema.ItemResult, cause error) {
	o.meters.did(ctx, job, items)
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	defer span.End()
	if cause == nil {
		return
	}
	n := 0
	for i := range items {
		if items[i].Error != nil {
			n++
		}
	}
	span.SetAttributes(attributeFailed.Int(n))
	failed(span, cause)
}

// traceItem returns the context for an item of a job: with ctx's span for the first
// ones, and with one that records nothing for the rest.
func traceItem(ctx, quiet context.Context, i int) context.Context {
	if i < tracedItems {
		return ctx
	}
	return quiet
}

// quiet returns ctx with its trace, but without a span to record below.
func quiet(ctx context.Context) context.Context {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx
	}
	return trace.ContextWithSpanContext(ctx, trace.SpanContextFromContext(ctx))
}

// send sends a reply, observed.
func (o *observer) send(ctx context.Context, to string, b *outbox, m queue.Message) error {
	began := time.Now()
	err := o.sendSpan(ctx, to, b, m)
	o.meters.replied(ctx, to, time.Since(began), err)
	return err
}

// sendSpan sends a reply with the context of its own span in it. Its time is that
// of the reply, which may wait for a batch, and is sent together with others.
func (o *observer) sendSpan(ctx context.Context, to string, b *outbox, m queue.Message) error {
	if !o.on {
		InjectTrace(ctx, &m)
		return b.send(ctx, m)
	}
	ctx, span := o.start(ctx, "send", to, trace.SpanKindProducer)
	defer span.End()
	o.describe(span, "send", to, semconv.MessagingOperationTypeSend, semconv.MessagingMessageID(m.ID), semconv.MessagingMessageConversationID(m.CorrelationID))
	InjectTrace(ctx, &m)
	err := b.send(ctx, m)
	failed(span, err)
	return err
}

// settle ends a delivery as v says, observed.
func (o *observer) settle(ctx context.Context, d *heldDelivery, v verdict) error {
	began := time.Now()
	err := o.settleSpan(ctx, d, v)
	o.meters.settled(ctx, d.from.queue, time.Since(began), v, err)
	return err
}

func (o *observer) settleSpan(ctx context.Context, d *heldDelivery, v verdict) error {
	if !o.on {
		return settle(ctx, d.Delivery, v.settlement())
	}
	how := disposition(v.outcome)
	operation := how.Value.AsString()
	ctx, span := o.start(ctx, operation, d.from.queue, trace.SpanKindClient)
	defer span.End()
	o.describe(span, operation, d.from.queue, semconv.MessagingOperationTypeSettle, how, semconv.MessagingMessageID(d.ID))
	err := settle(ctx, d.Delivery, v.settlement())
	failed(span, err)
	return err
}
