package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/otel/attribute"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/instrument"
)

// helmForeign are metrics that the chart asks for and that others make: KEDA and
// kube-state-metrics.
var helmForeign = []string{"keda_scaler_metrics_value", "kube_deployment_spec_replicas"}

// TestHelmMetrics: alerts, dashboard and autoscaler ask for metrics, labels and
// codes that there are.
func TestHelmMetrics(t *testing.T) {
	t.Parallel()
	there := prometheusNames(t)
	data, err := os.ReadFile(filepath.Join(helmDir, "metrics.golden"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(lines) < 10 {
		t.Fatalf("got %d metrics", len(lines))
	}
	for _, line := range lines {
		fields := strings.Fields(line)
		if slices.Contains(helmForeign, fields[0]) {
			continue
		}
		labels, ok := there[fields[0]]
		if !ok {
			t.Errorf("there is no metric %s", fields[0])
			continue
		}
		for _, field := range fields[1:] {
			label, value, _ := strings.Cut(field, "=")
			if !slices.Contains(labels, label) {
				t.Errorf("%s has no label %s, only %v", fields[0], label, labels)
			}
			if label == "signmill_outcome" && value != "" && !slices.Contains(schema.Codes(), schema.Code(value)) {
				t.Errorf("%s: no outcome is called %s", fields[0], value)
			}
		}
	}
}

// prometheusNames returns the labels of each metric, by the name that Prometheus
// knows it by: what is in the tables goes through the exporter itself.
func prometheusNames(t *testing.T) map[string][]string {
	t.Helper()
	registry := prometheus.NewRegistry()
	reader, err := otelprom.New(otelprom.WithRegisterer(registry))
	if err != nil {
		t.Fatal(err)
	}
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter(scopeName)
	for _, row := range allMetrics() {
		measureOnce(t, meter, row)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string][]string{}
	for _, f := range families {
		var labels []string
		for _, pair := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, pair.GetName())
		}
		names[f.GetName()] = labels
		if f.GetType() == dto.MetricType_HISTOGRAM {
			for _, suffix := range []string{"_bucket", "_count", "_sum"} {
				names[f.GetName()+suffix] = labels
			}
		}
	}
	return names
}

// measureOnce makes an instrument and gives it a value with all its attributes.
func measureOnce(t *testing.T, meter metric.Meter, row instrument.Row) {
	t.Helper()
	m := instrument.New(meter, []instrument.Row{row})
	var attributes []attribute.KeyValue
	for _, name := range row.Attributes {
		attributes = append(attributes, attribute.String(name, "x"))
	}
	with := metric.WithAttributes(attributes...)
	switch row.Kind {
	case instrument.Counter:
		m.Counter(row.Name).Add(t.Context(), 1, with)
	case instrument.Histogram:
		m.Histogram(row.Name).Record(t.Context(), 1, with)
	case instrument.Gauge:
		m.Gauge(row.Name, func(observe instrument.Observe) { observe(1, attributes...) })
	case instrument.Total:
		m.Total(row.Name, func(observe instrument.Observe) { observe(1, attributes...) })
	}
	if err := m.Err(); err != nil {
		t.Fatal(err)
	}
}
