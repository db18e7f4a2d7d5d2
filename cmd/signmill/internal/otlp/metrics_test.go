package otlp

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
)

// measured has the SDK measure, and returns what its reader has.
func measured(t *testing.T, measure func(metric.Meter)) *metricdata.ResourceMetrics {
	t.Helper()
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithResource(resource.NewSchemaless(attribute.String("service.name", "mill"))))
	defer provider.Shutdown(context.WithoutCancel(t.Context()))
	measure(provider.Meter("scope", metric.WithInstrumentationVersion("v1")))
	var all metricdata.ResourceMetrics
	must(t, reader.Collect(t.Context(), &all))
	return &all
}

// everyKind measures with every kind of instrument that is exported.
func everyKind(t *testing.T) func(metric.Meter) {
	return func(m metric.Meter) {
		by := metric.WithAttributes(attribute.String("key", "invoices"), attribute.Int("code", 429), attribute.Bool("ok", true))
		calls, err := m.Int64Counter("calls", metric.WithUnit("{call}"), metric.WithDescription("Calls"))
		must(t, err)
		calls.Add(t.Context(), 7, by)
		waited, err := m.Float64Counter("waited")
		must(t, err)
		waited.Add(t.Context(), 1.5)
		held, err := m.Int64UpDownCounter("held")
		must(t, err)
		held.Add(t.Context(), 3)
		held.Add(t.Context(), -1)
		scale, err := m.Float64Gauge("scale")
		must(t, err)
		scale.Record(t.Context(), 0.25)
		took, err := m.Float64Histogram("took", metric.WithExplicitBucketBoundaries(1, 10))
		must(t, err)
		for _, v := range []float64{0.5, 5, 6, 50} {
			took.Record(t.Context(), v)
		}
	}
}

// told is what a Collector reads, one line for each metric.
func told(t *testing.T, from pmetric.Metrics) (lines []string) {
	t.Helper()
	r := from.ResourceMetrics().At(0)
	scope := r.ScopeMetrics().At(0)
	lines = append(lines, fmt.Sprint(r.Resource().Attributes().AsRaw(), " ", scope.Scope().Name(), " ", scope.Scope().Version()))
	for _, m := range scope.Metrics().All() {
		line := strings.TrimSpace(fmt.Sprint(m.Name(), " ", m.Unit(), " ", m.Description())) + ": "
		switch m.Type() {
		case pmetric.MetricTypeSum:
			line += fmt.Sprint(m.Sum().AggregationTemporality(), " ", m.Sum().IsMonotonic(), number(t, m.Sum().DataPoints().At(0)))
		case pmetric.MetricTypeGauge:
			line += "gauge" + number(t, m.Gauge().DataPoints().At(0))
		case pmetric.MetricTypeHistogram:
			p := m.Histogram().DataPoints().At(0)
			begun(t, p.StartTimestamp(), p.Timestamp())
			line += fmt.Sprint(m.Histogram().AggregationTemporality(), " ", p.Count(), " ", p.Sum(), " ", p.BucketCounts().AsRaw(), " ", p.ExplicitBounds().AsRaw())
		}
		lines = append(lines, line)
	}
	return lines
}

func number(t *testing.T, p pmetric.NumberDataPoint) string {
	t.Helper()
	begun(t, p.StartTimestamp(), p.Timestamp())
	by := ""
	all := p.Attributes().AsRaw()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		by += fmt.Sprintf(" %s=%T:%v", name, all[name], all[name])
	}
	return fmt.Sprintf(" %s %v%s", p.ValueType(), cmp.Or(p.DoubleValue(), float64(p.IntValue())), by)
}

// begun checks that a measurement is from its start to its end.
func begun(t *testing.T, start, end pcommon.Timestamp) {
	t.Helper()
	if start == 0 || end < start {
		t.Errorf("got times %d to %d", start, end)
	}
}

// TestMetricExporter: a Collector reads each kind of instrument as it was.
func TestMetricExporter(t *testing.T) {
	t.Parallel()
	c, e := newCollector(t, 200)
	must(t, MetricExporter{e}.Export(t.Context(), measured(t, everyKind(t))))
	request := pmetricotlp.NewExportRequest()
	must(t, request.UnmarshalProto(c.plain(t, 0)))
	want := []string{
		"map[service.name:mill] scope v1",
		"calls {call} Calls: Cumulative true Int 7 code=int64:429 key=string:invoices ok=string:true",
		"waited: Cumulative true Double 1.5",
		"held: Cumulative false Int 2",
		"scale: gauge Double 0.25",
		"took: Cumulative 4 61.5 [1 2 1] [1 10]",
	}
	if got := told(t, request.Metrics()); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestUnknownInstrument: what cannot be exported is named, and nothing is sent.
func TestUnknownInstrument(t *testing.T) {
	t.Parallel()
	c, e := newCollector(t, 200)
	err := MetricExporter{e}.Export(t.Context(), measured(t, func(m metric.Meter) {
		g, err := m.Int64Gauge("whole")
		must(t, err)
		g.Record(t.Context(), 1)
	}))
	if err == nil || !strings.Contains(err.Error(), "measurement whole: metricdata.Gauge[int64]") || len(c.requests) > 0 {
		t.Errorf("got %v and %d requests, want an error that names the instrument, and none", err, len(c.requests))
	}
}
