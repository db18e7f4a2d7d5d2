package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/signmill/signmill/cmd/signmill/internal/otlp"
)

// newCollector serves OTLP/HTTP for measurements on loopback, and returns where
// and what it gets. It reads as a Collector does.
func newCollector(t *testing.T) (string, <-chan pmetric.Metrics) {
	got := make(chan pmetric.Metrics, 1000) // never closed
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/v1/metrics" || req.Header.Get("Content-Type") != "application/x-protobuf" || req.Header.Get("Key") != "a secret" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		plain, err := gzip.NewReader(req.Body)
		if err != nil {
			t.Error(err)
			return
		}
		body, err := io.ReadAll(plain)
		request := pmetricotlp.NewExportRequest()
		if err != nil || request.UnmarshalProto(body) != nil {
			t.Errorf("got a body that a Collector does not read: %v", err)
			return
		}
		got <- request.Metrics()
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

// readings lists what is in some measurements: values of counters and gauges,
// counts and sums of buckets of histograms, by name and attributes.
func readings(from pmetric.Metrics) map[string]float64 {
	all := map[string]float64{}
	for _, scope := range from.ResourceMetrics().At(0).ScopeMetrics().All() {
		for _, m := range scope.Metrics().All() {
			switch m.Type() {
			case pmetric.MetricTypeSum:
				numbers(all, m, m.Sum().DataPoints())
			case pmetric.MetricTypeGauge:
				numbers(all, m, m.Gauge().DataPoints())
			case pmetric.MetricTypeHistogram:
				for _, p := range m.Histogram().DataPoints().All() {
					sum := uint64(0)
					for _, n := range p.BucketCounts().All() {
						sum += n
					}
					if sum == p.Count() && p.BucketCounts().Len() == p.ExplicitBounds().Len()+1 {
						all[fmt.Sprint(m.Name(), m.Unit())] += float64(sum)
					}
				}
			}
		}
	}
	return all
}

func numbers(all map[string]float64, m pmetric.Metric, points pmetric.NumberDataPointSlice) {
	for _, p := range points.All() {
		var by []string
		for key, value := range p.Attributes().All() {
			by = append(by, key+"="+value.AsString())
		}
		slices.Sort(by)
		value := p.DoubleValue()
		if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
			value = float64(p.IntValue())
		}
		all[m.Name()+" "+strings.Join(by, " ")] = value
	}
}

// TestMetricsOverOTLP: measurements go to an endpoint, at intervals and at the
// end, whether or not there is a page for Prometheus beside it.
func TestMetricsOverOTLP(t *testing.T) {
	for _, test := range []struct {
		exporters, health string
		onPage            bool
	}{
		{"otlp", "", false},
		{"otlp", ":0", true},
		{"otlp,prometheus", ":0", true},
	} {
		t.Run(test.exporters+test.health, func(t *testing.T) {
			url, got := newCollector(t)
			t.Setenv("OTEL_METRICS_EXPORTER", test.exporters)
			t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", "100")
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
			t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "key=a%20secret")
			t.Setenv("OTEL_TRACES_EXPORTER", "none")
			m := newMill(t, func(o *workerOptions) { o.health = test.health })
			<-got
			m.submit("a", 3)
			m.take("replies", 1)
			page := ""
			if test.health != "" {
				w := httptest.NewRecorder()
				m.post.telemetry.measured.page.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
				page = w.Body.String()
			}
			if shown := strings.Contains(page, "signmill_items_total"); shown != test.onPage {
				t.Errorf("got the items on the page %t, want %t", shown, test.onPage)
			}
			m.drain()
			last := <-got
			for len(got) > 0 {
				last = <-got
			}
			for name, want := range map[string]float64{
				"signmill.items signmill.key=signmill signmill.operation=sign signmill.outcome=ok":            3,
				"signmill.vault.calls signmill.key.name=signmill signmill.operation=sign signmill.outcome=ok": 3,
				"signmill.jobs.held messaging.destination.name=jobs":                                          0,
				"signmill.job.durations": 1,
			} {
				if all := readings(last); all[name] != want {
					t.Errorf("%s: got %v, want %v, among %v", name, all[name], want, all)
				}
			}
			if name, _ := last.ResourceMetrics().At(0).Resource().Attributes().Get("service.name"); name.AsString() != "signmill" {
				t.Errorf("service.name: got %q, want signmill", name.AsString())
			}
		})
	}
}

// TestMetricsExporters: what the variables ask for is done, and what is not known
// is refused.
func TestMetricsExporters(t *testing.T) {
	for _, test := range []struct {
		name, exporters, disabled, health string
		measured                          bool
		refusal                           string
	}{
		{"nothing", "", "", "", false, ""},
		{"the page alone", "", "", ":0", true, ""},
		{"named", "prometheus", "", ":0", true, ""},
		{"named without a page", "prometheus", "", "", false, ""},
		{"none", "none", "", "", false, ""},
		{"none beside a page", "none", "", ":0", true, ""},
		{"disabled", "otlp,prometheus", "true", ":0", false, ""},
		{"unknown", "prometheus,console", "", "", false, "OTEL_METRICS_EXPORTER=console: use otlp, prometheus or none"},
		{"unknown beside a page", "statsd", "", ":0", false, "OTEL_METRICS_EXPORTER=statsd: use otlp, prometheus or none"},
		{"gRPC", "otlp", "", "", false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("OTEL_METRICS_EXPORTER", test.exporters)
			t.Setenv("OTEL_SDK_DISABLED", test.disabled)
			if test.name == "gRPC" {
				t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
				test.refusal = "OTEL_EXPORTER_OTLP_PROTOCOL=grpc: use http/protobuf"
			}
			tel := &telemetry{log: slog.New(slog.DiscardHandler)}
			err := tel.measure(test.health != "")
			defer tel.close()
			if test.refusal != "" {
				if err == nil || !strings.Contains(err.Error(), test.refusal) {
					t.Errorf("got %v, want %q", err, test.refusal)
				}
				return
			}
			must(t, err)
			if got := tel.measured.meter() != nil; got != test.measured {
				t.Errorf("got measured %t, want %t", got, test.measured)
			}
			if test.health != "" && tel.measured.page == nil {
				t.Error("got no page, want one for /metrics")
			}
		})
	}
}

// TestOTLPSettings: the variables of a signal go before those of all.
func TestOTLPSettings(t *testing.T) {
	const at = "OTEL_EXPORTER_OTLP_"
	for _, test := range []struct {
		name string
		env  map[string]string
		want otlp.Config
	}{
		{"nothing", nil, otlp.Config{URL: "http://localhost:4318/v1/metrics"}},
		{"of all", map[string]string{"ENDPOINT": "https://a.example/base/", "HEADERS": "a=1, b = x%20y ,c,d=%zz", "TIMEOUT": "1500"},
			otlp.Config{URL: "https://a.example/base/v1/metrics", Headers: map[string]string{"a": "1", "b": "x y"}, Timeout: 1500 * time.Millisecond}},
		{"of the signal", map[string]string{"ENDPOINT": "https://a.example", "METRICS_ENDPOINT": "https://b.example/m", "HEADERS": "a=1,b=2",
			"METRICS_HEADERS": "b=3", "TIMEOUT": "1500", "METRICS_TIMEOUT": "20"},
			otlp.Config{URL: "https://b.example/m", Headers: map[string]string{"a": "1", "b": "3"}, Timeout: 20 * time.Millisecond}},
		{"no times", map[string]string{"TIMEOUT": "-1", "METRICS_TIMEOUT": "soon"}, otlp.Config{URL: "http://localhost:4318/v1/metrics"}},
		{"of another signal", map[string]string{"TRACES_ENDPOINT": "https://t.example/t", "TRACES_HEADERS": "a=1"}, otlp.Config{URL: "http://localhost:4318/v1/metrics"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, value := range test.env {
				t.Setenv(at+name, value)
			}
			if got := otlpSettings(signalMetrics); fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
