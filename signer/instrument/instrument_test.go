package instrument_test

import (
	"strings"
	"testing"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/signmill/signmill/signer/instrument"
)

func table() []instrument.Row {
	return []instrument.Row{
		{Name: "a.calls", Kind: instrument.Counter, Unit: "{call}", About: "calls"},
		{Name: "a.time", Kind: instrument.Histogram, Unit: "s", About: "time", Bounds: []float64{1, 2}},
		{Name: "a.held", Kind: instrument.Gauge, Unit: "{job}", About: "held"},
		{Name: "a.waited", Kind: instrument.Total, Unit: "s", About: "waited"},
	}
}

// TestInstrumentsAreThoseOfTheTable: names, units, texts and buckets.
func TestInstrumentsAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	m := instrument.New(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test"), table())
	m.Counter("a.calls").Add(t.Context(), 3)
	m.Histogram("a.time").Record(t.Context(), 1.5)
	m.Gauge("a.held", func(o instrument.Observe) { o(4) })
	m.Total("a.waited", func(o instrument.Observe) { o(5) })
	if err := m.Err(); err != nil {
		t.Fatal(err)
	}
	var got metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	found := map[string]metricdata.Metrics{}
	for _, metric := range got.ScopeMetrics[0].Metrics {
		found[metric.Name] = metric
	}
	for _, row := range table() {
		if f := found[row.Name]; f.Unit != row.Unit || f.Description != row.About {
			t.Errorf("%s: got unit %q and text %q, want %q and %q", row.Name, f.Unit, f.Description, row.Unit, row.About)
		}
	}
	times, _ := found["a.time"].Data.(metricdata.Histogram[float64])
	if len(times.DataPoints) != 1 || len(times.DataPoints[0].Bounds) != 2 {
		t.Errorf("a.time: got %+v, want one point in the table's buckets", times)
	}
	if held, _ := found["a.held"].Data.(metricdata.Gauge[float64]); len(held.DataPoints) != 1 || held.DataPoints[0].Value != 4 {
		t.Errorf("a.held: got %+v, want 4", held)
	}
}

// TestTableAndInstrumentsBelongTogether: each difference is a fault.
func TestTableAndInstrumentsBelongTogether(t *testing.T) {
	t.Parallel()
	all := func(m *instrument.Maker) {
		m.Counter("a.calls")
		m.Histogram("a.time")
		m.Gauge("a.held", func(instrument.Observe) {})
		m.Total("a.waited", func(instrument.Observe) {})
	}
	tests := []struct {
		name string
		make func(m *instrument.Maker)
		want string // in the error
	}{
		{"not in the table", func(m *instrument.Maker) { all(m); m.Counter("a.lost") }, "a.lost is no counter"},
		{"another kind", func(m *instrument.Maker) { m.Counter("a.time"); m.Counter("a.calls") }, "a.time is no counter"},
		{"twice", func(m *instrument.Maker) { all(m); m.Counter("a.calls") }, "a.calls is no counter in the table, or was made before"},
		{"not made", func(*instrument.Maker) {}, "a.waited is in the table and was not made"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := instrument.New(nil, table())
			test.make(m)
			if err := m.Err(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
	if err := instrument.New(nil, append(table(), table()[0])).Err(); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a row twice: got %v, want an error", err)
	}
}
