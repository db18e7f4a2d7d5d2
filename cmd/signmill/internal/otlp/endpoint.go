package otlp

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v4"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Config says where telemetry goes. URL is required.
type Config struct {
	URL       string            // with the path of the signal, such as http://localhost:4318/v1/traces
	Headers   map[string]string // of each request
	Timeout   time.Duration     // of one request; zero: 10 s
	Transport http.RoundTripper // zero: that of package http
}

// Endpoint takes telemetry over OTLP/HTTP. It implements [otlptrace.Client].
// Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp
type Endpoint struct {
	config Config
	client *http.Client
	packer Packer
}

// defaultTimeout is what the specification of OTLP exporters has.
const defaultTimeout = 10 * time.Second

// New makes an endpoint. It connects to nothing, and fails only on the URL.
func New(c Config) (*Endpoint, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is no URL of an OTLP/HTTP endpoint, such as http://localhost:4318/v1/traces", c.URL)
	}
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	return &Endpoint{config: c, client: &http.Client{Transport: c.Transport}}, nil
}

// Refusal is an answer other than success.
type Refusal struct {
	Status int           // of HTTP
	After  time.Duration // how long it asks to wait; zero: it does not say
}

// Error names the status.
func (r *Refusal) Error() string {
	return fmt.Sprintf("it answers %d %s", r.Status, http.StatusText(r.Status))
}

// Passing reports whether the same request may be taken later.
func (r *Refusal) Passing() bool {
	switch r.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// Start implements [otlptrace.Client]. There is nothing to start.
func (e *Endpoint) Start(context.Context) error { return nil }

// Stop implements [otlptrace.Client]. It closes connections that nobody uses.
func (e *Endpoint) Stop(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}

// UploadTraces implements [otlptrace.Client]. What may pass is tried again for a
// minute, or until ctx ends.
func (e *Endpoint) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	return e.deliver(ctx, &tracepb.TracesData{ResourceSpans: spans})
}

// Spans returns an exporter that hands OTLP requests to a client, such as an
// [Endpoint], that has nothing to start.
func Spans(client otlptrace.Client) sdktrace.SpanExporter {
	exporter := otlptrace.NewUnstarted(client)
	exporter.Start(context.Background()) //nolint:errcheck // the client has nothing to start
	return exporter
}

// deliver sends a request. What may pass is tried again for a minute, or until
// ctx ends.
func (e *Endpoint) deliver(ctx context.Context, request proto.Message) error {
	body, err := e.packer.Pack(request)
	if err != nil {
		return err
	}
	return backoff.Retry(func() error {
		err := e.Post(ctx, body, "gzip")
		if refusal, ok := errors.AsType[*Refusal](err); ok && !refusal.Passing() {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(backoff.NewExponentialBackOff(backoff.WithMaxElapsedTime(time.Minute)), ctx))
}

// Post sends one body once; "" stands for no encoding. Its error is a [*Refusal],
// or there was no answer within the time of a request, or until ctx ended.
func (e *Endpoint) Post(ctx context.Context, body []byte, encoding string) error {
	ctx, cancel := context.WithTimeout(ctx, e.config.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.config.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, value := range e.config.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) //nolint:errcheck // only to use the connection again
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After")) //nolint:errcheck // a date is not heeded
	return &Refusal{resp.StatusCode, time.Duration(max(0, seconds)) * time.Second}
}
