package worker

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/instrument"
)

// meters are the instruments of a worker. Nil measures nothing.
type meters struct {
	operation, process, job, queueWait, lockMargin                        metric.Float64Histogram
	sent, consumed, redelivered, deadLetters, items, integrity, malformed metric.Int64Counter
}

// newMeters makes the instruments of w, or none without a meter.
func newMeters(w *Worker) (*meters, error) {
	if w.Telemetry.Meter == nil {
		return nil, nil
	}
	m := instrument.New(w.Telemetry.Meter, Metrics())
	all := &meters{
		operation:   m.Histogram(metricOperation),
		process:     m.Histogram(metricProcess),
		job:         m.Histogram(metricJob),
		queueWait:   m.Histogram(metricQueueWait),
		lockMargin:  m.Histogram(metricLockMargin),
		sent:        m.Counter(metricSent),
		consumed:    m.Counter(metricConsumed),
		redelivered: m.Counter(metricRedelivered),
		deadLetters: m.Counter(metricDeadLetters),
		items:       m.Counter(metricItems),
		integrity:   m.Counter(metricIntegrity),
		malformed:   m.Counter(metricMalformed),
	}
	gauge := func(name string, read func(*source) int) {
		m.Gauge(name, func(o instrument.Observe) {
			for _, s := range w.sources {
				o(float64(read(s)), semconv.MessagingDestinationName(s.queue))
			}
		})
	}
	gauge(metricHeld, w.observer.tally.heldFrom)
	gauge(metricHeldMost, func(s *source) int { return cap(s.held) })
	gauge(metricPlaces, func(s *source) int { return w.placesOf(s).used() })
	gauge(metricPlacesMost, func(s *source) int { return w.placesOf(s).each })
	return all, m.Err()
}

// placesOf returns the places that only jobs of s take, or those of all.
func (w *Worker) placesOf(s *source) *places {
	if s.places != nil {
		return s.places
	}
	return w.places
}

// messaging returns the attributes of a messaging measurement, which failed
// unless kind is "".
func messaging(operation, name, kind string) metric.MeasurementOption {
	attributes := []attribute.KeyValue{
		semconv.MessagingSystemServiceBus, semconv.MessagingOperationName(operation), semconv.MessagingDestinationName(name),
	}
	if kind != "" {
		attributes = append(attributes, semconv.ErrorTypeKey.String(kind))
	}
	return metric.WithAttributes(attributes...)
}

// received measures one answer of the job queue.
func (m *meters) received(ctx context.Context, name string, took time.Duration, deliveries []*queue.Delivery, err error) {
	if m == nil {
		return
	}
	with := messaging("receive", name, errorType(err))
	m.operation.Record(ctx, took.Seconds(), with)
	m.consumed.Add(ctx, int64(len(deliveries)), with)
	for _, d := range deliveries {
		m.queueWait.Record(ctx, max(0, time.Since(d.EnqueuedAt).Seconds()))
		if d.Count > 1 {
			m.redelivered.Add(ctx, 1)
		}
		if _, malformed := ExtractTrace(d.Message); malformed {
			m.malformed.Add(ctx, 1)
		}
	}
}

// replied measures the sending of one reply.
func (m *meters) replied(ctx context.Context, name string, took time.Duration, err error) {
	if m == nil {
		return
	}
	with := messaging("send", name, errorType(err))
	m.operation.Record(ctx, took.Seconds(), with)
	m.sent.Add(ctx, 1, with)
}

// settled measures a settlement.
func (m *meters) settled(ctx context.Context, name string, took time.Duration, v verdict, err error) {
	if m == nil {
		return
	}
	m.operation.Record(ctx, took.Seconds(), messaging(disposition(v.outcome).Value.AsString(), name, errorType(err)))
	if v.outcome == queue.DeadLetter && err == nil {
		m.deadLetters.Add(ctx, 1, metric.WithAttributes(attribute.String(attributeReason, string(v.reason))))
	}
}

// processed measures one delivery from receipt to its end.
func (m *meters) processed(ctx context.Context, name string, took time.Duration, kind string) {
	if m == nil {
		return
	}
	m.process.Record(ctx, took.Seconds(), messaging("process", name, kind))
	m.job.Record(ctx, took.Seconds())
}

// did measures the outcomes of a job's items.
func (m *meters) did(ctx context.Context, job schema.Job, items []schema.ItemResult) {
	if m == nil {
		return
	}
	counts := map[schema.Code]int64{}
	for i := range items {
		code := schema.Code("ok")
		if e := items[i].Error; e != nil {
			code = e.Code
		}
		counts[code]++
	}
	for code, n := range counts {
		m.items.Add(ctx, n, metric.WithAttributes(attributeOperation.String(string(job.Operation)),
			attributeKey.String(job.Key), attribute.String(attributeOutcome, string(code))))
	}
	if n := counts[schema.CodeIntegrity]; n > 0 {
		m.integrity.Add(ctx, n, metric.WithAttributes(attributeKey.String(job.Key)))
	}
}

// renewed measures how much of a lock was left.
func (m *meters) renewed(ctx context.Context, left time.Duration) {
	if m != nil {
		m.lockMargin.Record(ctx, left.Seconds())
	}
}
