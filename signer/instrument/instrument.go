// Package instrument owns how measurements are described: in tables, from which
// both the instruments and their documentation are made.
//
// What it is. A [Row] describes one instrument. A [Maker] makes the instruments
// of a table with an OpenTelemetry meter.
//
// Guarantees. What is made is in the table, and what is in the table is made:
// [Maker.Err] tells of the difference.
//
// Concurrency. A Maker belongs to one goroutine; the instruments to all.
package instrument

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// Kind is a kind of instrument.
type Kind string

// The kinds.
const (
	Counter   Kind = "counter"   // of what happened; only grows
	Gauge     Kind = "gauge"     // of what is now; asked for when it is read
	Total     Kind = "total"     // a counter that is asked for when it is read
	Histogram Kind = "histogram" // of sizes or times, in buckets
)

// Row describes one instrument. All fields but Attributes and Bounds are
// required.
type Row struct {
	Name       string
	Kind       Kind
	Unit       string    // UCUM, such as s or {message}
	About      string    // one sentence without a full stop, in code too
	Attributes []string  // names of what it is told apart by; nil: nothing
	Bounds     []float64 // upper bounds of a histogram's buckets; nil: OpenTelemetry's defaults
}

// Maker makes the instruments of a table. Make one with [New].
type Maker struct {
	meter  metric.Meter
	rows   map[string]Row
	faults []error
}

// New returns a Maker. A nil meter makes instruments that do nothing.
func New(meter metric.Meter, table []Row) *Maker {
	if meter == nil {
		meter = noop.Meter{}
	}
	m := &Maker{meter: meter, rows: make(map[string]Row, len(table))}
	for _, r := range table {
		if _, twice := m.rows[r.Name]; twice {
			m.faults = append(m.faults, fmt.Errorf("instrument %s is in the table twice", r.Name))
		}
		m.rows[r.Name] = r
	}
	return m
}

// row takes a row out of the table.
func (m *Maker) row(name string, kind Kind) Row {
	r := m.rows[name]
	if r.Kind != kind {
		m.faults = append(m.faults, fmt.Errorf("instrument %s is no %s in the table, or was made before", name, kind))
	}
	delete(m.rows, name)
	return r
}

func (m *Maker) note(err error) { m.faults = append(m.faults, err) }

// Counter makes a counter.
func (m *Maker) Counter(name string) metric.Int64Counter {
	r := m.row(name, Counter)
	c, err := m.meter.Int64Counter(name, metric.WithUnit(r.Unit), metric.WithDescription(r.About))
	m.note(err)
	return c
}

// Histogram makes a histogram.
func (m *Maker) Histogram(name string) metric.Float64Histogram {
	r := m.row(name, Histogram)
	options := []metric.Float64HistogramOption{metric.WithUnit(r.Unit), metric.WithDescription(r.About)}
	if r.Bounds != nil {
		options = append(options, metric.WithExplicitBucketBoundaries(r.Bounds...))
	}
	h, err := m.meter.Float64Histogram(name, options...)
	m.note(err)
	return h
}

// Observe takes a value, and what it is told apart by.
type Observe func(value float64, by ...attribute.KeyValue)

// Gauge makes a gauge whose values are asked of read.
func (m *Maker) Gauge(name string, read func(Observe)) {
	r := m.row(name, Gauge)
	_, err := m.meter.Float64ObservableGauge(name, metric.WithUnit(r.Unit), metric.WithDescription(r.About),
		metric.WithFloat64Callback(observe(read)))
	m.note(err)
}

// Total makes a counter whose values since the start are asked of read.
func (m *Maker) Total(name string, read func(Observe)) {
	r := m.row(name, Total)
	_, err := m.meter.Float64ObservableCounter(name, metric.WithUnit(r.Unit), metric.WithDescription(r.About),
		metric.WithFloat64Callback(observe(read)))
	m.note(err)
}

func observe(read func(Observe)) metric.Float64Callback {
	return func(_ context.Context, o metric.Float64Observer) error {
		read(func(value float64, by ...attribute.KeyValue) { o.Observe(value, metric.WithAttributes(by...)) })
		return nil
	}
}

// Err returns all faults: of the meter, of instruments that are not in the
// table, and of rows that were not made.
func (m *Maker) Err() error {
	for _, name := range slices.Sorted(maps.Keys(m.rows)) {
		m.faults = append(m.faults, fmt.Errorf("instrument %s is in the table and was not made", name))
	}
	return errors.Join(m.faults...)
}
