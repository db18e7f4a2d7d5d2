package keyvault

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// tracing gives the SDK spans of Config.Tracer. Only requests get one, each
// attempt its own, and only below a span that is recorded. They follow the HTTP
// conventions at version 1.43.0, whatever names the SDK uses.
func (c Config) tracing() tracing.Provider {
	if c.Tracer == nil {
		return tracing.Provider{}
	}
	return tracing.NewProvider(func(string, string) tracing.Tracer { return tracing.NewTracer(c.startSpan, nil) }, nil)
}

func (c Config) startSpan(ctx context.Context, _ string, o *tracing.SpanOptions) (context.Context, tracing.Span) {
	if o.Kind != tracing.SpanKindClient || !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, tracing.Span{}
	}
	attributes := make([]attribute.KeyValue, 0, 2*len(o.Attributes))
	method, template := "", ""
	for _, a := range o.Attributes {
		switch a.Key {
		case "http.method":
			method = fmt.Sprint(a.Value)
		case "http.url":
			template = templateOf(fmt.Sprint(a.Value))
		}
		attributes = append(attributes, stable(a)...)
	}
	if template != "" {
		attributes = append(attributes, semconv.URLTemplate(template))
	}
	ctx, span := c.Tracer.Start(ctx, strings.TrimSpace(method+" "+template), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributes...))
	h := &httpSpan{Span: span}
	return ctx, tracing.NewSpan(tracing.SpanImpl{End: func() { span.End() }, SetAttributes: h.set, SetStatus: h.end})
}

// httpSpan is the span of one request.
type httpSpan struct {
	trace.Span
	status int // of the answer; zero: there is none
}

func (h *httpSpan) set(attributes ...tracing.Attribute) {
	for _, a := range attributes {
		if status, ok := a.Value.(int); ok && a.Key == "http.status_code" {
			h.status = status
		}
		h.SetAttributes(stable(a)...)
	}
}

// end takes in that the request failed. The challenge before the first token and
// a call that the quota did not allow are a part of the way and no errors: what
// becomes of the operation in the end is told by the span above. The SDK's text
// is left out, since it may quote an address.
func (h *httpSpan) end(status tracing.SpanStatus, _ string) {
	if status != tracing.SpanStatusError || h.status == http.StatusUnauthorized || h.status == http.StatusTooManyRequests {
		return
	}
	kind := "_OTHER"
	if h.status != 0 {
		kind = strconv.Itoa(h.status)
	}
	h.SetAttributes(semconv.ErrorTypeKey.String(kind))
	h.SetStatus(codes.Error, kind)
}

// stable translates an attribute of the SDK. It returns none for one that tells
// nothing.
func stable(a tracing.Attribute) []attribute.KeyValue {
	text := fmt.Sprint(a.Value)
	switch a.Key {
	case "http.method":
		return []attribute.KeyValue{semconv.HTTPRequestMethodKey.String(text)}
	case "http.url":
		return []attribute.KeyValue{semconv.URLFull(text)}
	case "http.status_code":
		status, _ := a.Value.(int)
		return []attribute.KeyValue{semconv.HTTPResponseStatusCode(status)}
	case "net.peer.name":
		return server(text)
	case "az.namespace":
		return []attribute.KeyValue{semconv.AzureResourceProviderNamespace(text)}
	case "az.service_request_id":
		return []attribute.KeyValue{semconv.AzureServiceRequestID(text)}
	case "az.client_request_id": // under which the vault's log has it; no convention names it
		return []attribute.KeyValue{attribute.String(a.Key, text)}
	}
	return nil
}

// server splits a host and a port.
func server(host string) []attribute.KeyValue {
	name, port, _ := strings.Cut(host, ":")
	n, err := strconv.Atoi(port)
	if err != nil {
		n = 443
	}
	return []attribute.KeyValue{semconv.ServerAddress(name), semconv.ServerPort(n)}
}

// templateOf returns the path of a request on a key with the key's name and
// version left out, or "".
func templateOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if parts[0] != "keys" || len(parts) < 2 || len(parts) > 4 {
		return ""
	}
	template := "/keys/{key-name}/{key-version}"
	if len(parts) == 4 {
		template += "/" + parts[3]
	}
	return template
}
