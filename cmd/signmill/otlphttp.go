package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// otlpTarget takes telemetry over OTLP/HTTP. It implements [otlptrace.Client]. The
// official one brings gRPC along, which makes the binary half as large again;
// what it knows beyond this are client certificates.
// Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp
type otlpTarget struct {
	url     string
	headers map[string]string
	timeout time.Duration // of one request
	client  *http.Client
	packer  otlpPacker
}

// otlpRefusal is an answer other than success.
type otlpRefusal struct {
	status int
	after  time.Duration // how long it asks to wait; zero: it does not say
}

// Error names the status.
func (r *otlpRefusal) Error() string {
	return fmt.Sprintf("it answers %d %s", r.status, http.StatusText(r.status))
}

// passing reports whether the same request may be taken later.
func (r *otlpRefusal) passing() bool {
	switch r.status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// otlpFromEnvironment reads the standard variables for a signal: TRACES or METRICS.
func otlpFromEnvironment(signal string) (*otlpTarget, error) {
	of := "OTEL_EXPORTER_OTLP_" + signal
	at := os.Getenv(of + "_ENDPOINT")
	if at == "" {
		at = os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
		if at == "" {
			at = "http://localhost:4318"
		}
		at = strings.TrimSuffix(at, "/") + "/v1/" + strings.ToLower(signal)
	}
	t, err := newOTLPTarget(at)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_HEADERS", of + "_HEADERS"} {
		for pair := range strings.SplitSeq(os.Getenv(name), ",") {
			key, value, ok := strings.Cut(pair, "=")
			if value, err = url.PathUnescape(strings.TrimSpace(value)); ok && err == nil {
				t.headers[strings.TrimSpace(key)] = value
			}
		}
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TIMEOUT", of + "_TIMEOUT"} {
		if ms, err := strconv.Atoi(os.Getenv(name)); err == nil && ms > 0 {
			t.timeout = time.Duration(ms) * time.Millisecond
		}
	}
	return t, nil
}

func newOTLPTarget(at string) (*otlpTarget, error) {
	u, err := url.Parse(at)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usagef("%q is no URL of an OTLP/HTTP endpoint, such as http://localhost:4318/v1/traces", at)
	}
	return &otlpTarget{url: at, headers: map[string]string{}, timeout: 10 * time.Second, client: &http.Client{}}, nil
}

// Start implements [otlptrace.Client].
func (t *otlpTarget) Start(context.Context) error { return nil }

// Stop implements [otlptrace.Client].
func (t *otlpTarget) Stop(context.Context) error {
	t.client.CloseIdleConnections()
	return nil
}

// UploadTraces implements [otlptrace.Client].
func (t *otlpTarget) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	return t.deliver(ctx, &tracepb.TracesData{ResourceSpans: spans})
}

// deliver sends a request. What may pass is tried again until ctx ends.
func (t *otlpTarget) deliver(ctx context.Context, request proto.Message) error {
	body, err := t.packer.pack(request)
	if err != nil {
		return err
	}
	return backoff.Retry(func() error {
		err := t.post(ctx, body, "gzip")
		if refusal, ok := errors.AsType[*otlpRefusal](err); ok && !refusal.passing() {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(backoff.NewExponentialBackOff(backoff.WithMaxElapsedTime(time.Minute)), ctx))
}

// post sends one request. Its error is an [*otlpRefusal], or there was no answer.
func (t *otlpTarget) post(ctx context.Context, body []byte, encoding string) error {
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, value := range t.headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) //nolint:errcheck // only to use the connection again
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After")) //nolint:errcheck // a date is not heeded
	return &otlpRefusal{resp.StatusCode, time.Duration(max(0, seconds)) * time.Second}
}
