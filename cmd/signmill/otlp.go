package main

import (
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/otlp"
)

// otlpFromEnvironment makes the endpoint that the standard variables name for a
// signal: TRACES or METRICS.
func otlpFromEnvironment(signal string) (*otlp.Endpoint, error) {
	return newEndpoint(otlpSettings(signal))
}

func newEndpoint(c otlp.Config) (*otlp.Endpoint, error) {
	e, err := otlp.New(c)
	return e, usageError(err)
}

// otlpSettings reads the standard variables for a signal.
func otlpSettings(signal string) otlp.Config {
	of := "OTEL_EXPORTER_OTLP_" + signal
	c := otlp.Config{URL: os.Getenv(of + "_ENDPOINT"), Headers: map[string]string{}}
	if c.URL == "" {
		at := os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
		if at == "" {
			at = "http://localhost:4318"
		}
		c.URL = strings.TrimSuffix(at, "/") + "/v1/" + strings.ToLower(signal)
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_HEADERS", of + "_HEADERS"} {
		for pair := range strings.SplitSeq(os.Getenv(name), ",") {
			key, value, ok := strings.Cut(pair, "=")
			if value, err := url.PathUnescape(strings.TrimSpace(value)); ok && err == nil {
				c.Headers[strings.TrimSpace(key)] = value
			}
		}
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TIMEOUT", of + "_TIMEOUT"} {
		if ms, err := strconv.Atoi(os.Getenv(name)); err == nil && ms > 0 {
			c.Timeout = time.Duration(ms) * time.Millisecond
		}
	}
	return c
}
