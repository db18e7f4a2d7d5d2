package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/signmill/signmill/cmd/signmill/internal/spanqueue"
	"github.com/signmill/signmill/cmd/signmill/internal/status"
	"github.com/signmill/signmill/signer/instrument"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/worker"
)

// The names of what is measured of a gate and of the spans.
const (
	metricUnits     = "signmill.quota.used"
	metricRate      = "signmill.quota.rate"
	metricScale     = "signmill.quota.scale"
	metricWaited    = "signmill.quota.waited"
	metricWaiting   = "signmill.quota.waiting"
	metricInFlight  = "signmill.quota.in_flight"
	metricThrottled = "signmill.vault.throttled"
	metricBacklog   = "signmill.queue.backlog"
	metricSilence   = "signmill.broker.silence"
	metricSpansSent = "signmill.spans.sent"
	metricSpansLost = "signmill.spans.dropped"
)

// gateMetrics describes what is measured of a gate.
func gateMetrics() []instrument.Row {
	return []instrument.Row{
		{Name: metricUnits, Kind: instrument.Total, Unit: "{unit}", About: "Units of the vault's quota that calls of this replica cost", Attributes: []string{attributeVault}},
		{Name: metricRate, Kind: instrument.Gauge, Unit: "{unit}/s", About: "Units in a second that this replica may use now; 0 where it has no rate of its own", Attributes: []string{attributeVault}},
		{Name: metricScale, Kind: instrument.Gauge, Unit: "1", About: "Part of the configured quota that is believed to be there; below 1 after refusals", Attributes: []string{attributeVault}},
		{Name: metricWaited, Kind: instrument.Total, Unit: "s", About: "Time that calls waited for the quota, in all", Attributes: []string{attributeVault}},
		{Name: metricWaiting, Kind: instrument.Gauge, Unit: "{call}", About: "Calls that wait for the quota now", Attributes: []string{attributeVault}},
		{Name: metricInFlight, Kind: instrument.Gauge, Unit: "{call}", About: "Calls that were sent to the vault and have no answer", Attributes: []string{attributeVault}},
		{Name: metricThrottled, Kind: instrument.Total, Unit: "{call}", About: "Calls that the vault answered with 429", Attributes: []string{attributeVault}},
	}
}

// spanMetrics describes what is measured of the spans that go to a queue.
func spanMetrics() []instrument.Row {
	return []instrument.Row{
		{Name: metricSpansSent, Kind: instrument.Total, Unit: "{span}", About: "Spans that were put on a queue"},
		{Name: metricSpansLost, Kind: instrument.Total, Unit: "{span}", About: "Spans that were dropped, because there were too many or the queue did not take them"},
	}
}

// queueMetrics describes what is measured of the job queues by looking at them.
func queueMetrics() []instrument.Row {
	return []instrument.Row{
		{Name: metricBacklog, Kind: instrument.Gauge, Unit: "{job}", About: "Jobs that wait on a job queue, about, as each replica sees it by itself; take the highest and not the sum. Missing where it is not known", Attributes: []string{"messaging.destination.name"}},
		{Name: metricSilence, Kind: instrument.Gauge, Unit: "s", About: "Time since the broker answered on a job queue last; it is asked every 15 s", Attributes: []string{"messaging.destination.name"}},
	}
}

// allMetrics describes everything that a worker measures.
func allMetrics() []instrument.Row {
	return slices.Concat(worker.Metrics(), keyvault.Metrics(), gateMetrics(), queueMetrics(), spanMetrics())
}

// measureGates makes the instruments of all gates.
func measureGates(meter metric.Meter, g *gates) error {
	m := instrument.New(meter, gateMetrics())
	of := func(value func(quota.State) float64) func(instrument.Observe) {
		return func(o instrument.Observe) {
			g.each(func(vault string, s quota.State) { o(value(s), attribute.String(attributeVault, vault)) })
		}
	}
	m.Total(metricUnits, of(func(s quota.State) float64 { return float64(s.Used) }))
	m.Gauge(metricRate, of(func(s quota.State) float64 { return s.Rate }))
	m.Gauge(metricScale, of(func(s quota.State) float64 { return s.Scale }))
	m.Total(metricWaited, of(func(s quota.State) float64 { return s.Waited.Seconds() }))
	m.Gauge(metricWaiting, of(func(s quota.State) float64 { return float64(s.Waiting) }))
	m.Gauge(metricInFlight, of(func(s quota.State) float64 { return float64(s.InFlight) }))
	m.Total(metricThrottled, of(func(s quota.State) float64 { return float64(s.Throttled) }))
	return m.Err()
}

// attributeVault is the URL of a vault.
const attributeVault = "signmill.vault"

// each calls visit for each vault whose calls are paced, in the order of names.
func (g *gates) each(visit func(vault string, s quota.State)) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	for _, place := range slices.Sorted(maps.Keys(g.vaults)) {
		if v := g.vaults[place]; v.gate != nil {
			visit(v.URL, v.gate.State())
		}
	}
}

// measureQueues makes the instruments of the job queues.
func measureQueues(meter metric.Meter, h *status.Server) error {
	m := instrument.New(meter, queueMetrics())
	m.Gauge(metricBacklog, func(o instrument.Observe) {
		h.Backlogs(func(queue string, jobs int64) { o(float64(jobs), semconv.MessagingDestinationName(queue)) })
	})
	m.Gauge(metricSilence, func(o instrument.Observe) {
		h.Silences(func(queue string, d time.Duration) { o(d.Seconds(), semconv.MessagingDestinationName(queue)) })
	})
	return m.Err()
}

// measureSpans makes the instruments of a queue of spans.
func measureSpans(meter metric.Meter, q *spanqueue.Processor) error {
	m := instrument.New(meter, spanMetrics())
	m.Total(metricSpansSent, func(o instrument.Observe) { sent, _ := q.Counts(); o(float64(sent)) })
	m.Total(metricSpansLost, func(o instrument.Observe) { _, dropped := q.Counts(); o(float64(dropped)) })
	return m.Err()
}

// measurements are what a process measures.
type measurements struct {
	provider *sdkmetric.MeterProvider // nil: nobody asks for them
	page     http.Handler             // for Prometheus
}

// newMeasurements makes them for the exporters of some names. The page shows the
// state of the process and of Go's runtime, too. It starts no goroutine unless they
// are to be sent; close ends it.
func newMeasurements(names []string) (*measurements, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m := &measurements{page: promhttp.HandlerFor(registry, promhttp.HandlerOpts{})}
	from, err := describeProcess()
	if err != nil || len(names) == 0 {
		return m, err
	}
	options := []sdkmetric.Option{sdkmetric.WithResource(from)}
	for _, name := range names {
		reader, err := newMetricReader(name, registry)
		if err != nil {
			return nil, fmt.Errorf("measurements: %w", err)
		}
		options = append(options, sdkmetric.WithReader(reader))
	}
	m.provider = sdkmetric.NewMeterProvider(options...)
	return m, nil
}

// measure lets t measure what is seen on the page, or is to be sent as the standard
// variables say: none sends nothing, and the page is there all the same.
func (t *telemetry) measure(seen bool) error {
	names, err := exporterNames(signalMetrics, nil)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == exportPrometheus })
	if seen && !sdkDisabled() {
		names = append(names, exportPrometheus)
	}
	if !seen && len(names) == 0 {
		return nil
	}
	t.handleErrors()
	t.measured, err = newMeasurements(names)
	return err
}

// meter returns the maker of instruments, or nil where nothing is measured.
func (m *measurements) meter() metric.Meter {
	if m == nil || m.provider == nil {
		return nil
	}
	return m.provider.Meter(scopeName)
}
