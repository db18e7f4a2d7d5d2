package main

import (
	"os"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/signmill/signmill/cmd/signmill/internal/otlp"
)

// The signals, as the standard variables name them.
const (
	signalTraces  = "TRACES"
	signalMetrics = "METRICS"
)

// The exporters that OTEL_TRACES_EXPORTER and OTEL_METRICS_EXPORTER may name, in a
// list with commas.
const (
	exportOTLP       = "otlp"       // to OTEL_EXPORTER_OTLP_ENDPOINT, in HTTP and protobuf
	exportConsole    = "console"    // spans alone: to standard output
	exportNone       = "none"       // nowhere
	exportServiceBus = "servicebus" // spans alone: to a queue
	exportPrometheus = "prometheus" // metrics alone: the page at --health, which is there anyway
)

// exporterNames reads which exporters a signal has. Where the
// variable is not set they are otherwise, and otlp when there is an endpoint.
func exporterNames(signal string, otherwise []string) ([]string, error) {
	if sdkDisabled() {
		return nil, nil
	}
	text := os.Getenv("OTEL_" + signal + "_EXPORTER")
	if text == "" {
		if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") != "" {
			otherwise = append(slices.Clone(otherwise), exportOTLP)
		}
		return otherwise, checkProtocol(signal, otherwise)
	}
	var names []string
	for name := range strings.SplitSeq(text, ",") {
		switch name = strings.TrimSpace(name); name {
		case exportNone:
			return nil, nil
		case "":
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), checkProtocol(signal, names)
}

// sdkDisabled reports whether nothing is to be told at all.
func sdkDisabled() bool { return strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") }

// checkProtocol refuses the protocols of OTLP that are not built in: the one
// over gRPC would double the size of the binary.
func checkProtocol(signal string, names []string) error {
	protocol := os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL")
	if own := os.Getenv("OTEL_EXPORTER_OTLP_" + signal + "_PROTOCOL"); own != "" {
		protocol = own
	}
	if slices.Contains(names, exportOTLP) && protocol == "grpc" {
		return usagef("OTEL_EXPORTER_OTLP_PROTOCOL=grpc: use http/protobuf, which collectors take at port 4318")
	}
	return nil
}

// newSpanExporter makes the exporter of a name, with the settings of the
// standard variables.
func newSpanExporter(name string) (sdktrace.SpanExporter, error) {
	switch name {
	case exportOTLP:
		target, err := otlpFromEnvironment(signalTraces)
		if err != nil {
			return nil, err
		}
		return otlp.Spans(target), nil
	case exportConsole:
		return stdouttrace.New()
	}
	return nil, usagef("OTEL_TRACES_EXPORTER=%s: use otlp, servicebus, console or none, or several with commas between", name)
}

// newMetricReader makes what reads the measurements for the exporter of a name;
// registry is where Prometheus finds them. The SDK reads OTEL_METRIC_EXPORT_INTERVAL.
func newMetricReader(name string, registry prometheus.Registerer) (sdkmetric.Reader, error) {
	switch name {
	case exportPrometheus:
		return otelprom.New(otelprom.WithRegisterer(registry))
	case exportOTLP:
		target, err := otlpFromEnvironment(signalMetrics)
		if err != nil {
			return nil, err
		}
		return sdkmetric.NewPeriodicReader(otlp.MetricExporter{Endpoint: target}), nil
	}
	return nil, usagef("OTEL_METRICS_EXPORTER=%s: use otlp, prometheus or none, or several with commas between", name)
}
