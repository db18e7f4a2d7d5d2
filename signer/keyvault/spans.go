package keyvault

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// attributeClientRequest is under which the vault's log has a request. No
// convention names it.
const attributeClientRequest = attribute.Key("az.client_request_id")

// tell makes the span of one attempt, below a span that is recorded, by the HTTP
// conventions at version 1.43.0. Resp is nil where no answer came.
//
// It is made here, where requests leave the SDK, and not by the SDK's tracing,
// which puts attributes together for each call, also where nothing is recorded,
// and takes the challenge for an error.
func (w wire) tell(req *http.Request, began time.Time, resp *http.Response) {
	if w.tracer == nil || !trace.SpanFromContext(req.Context()).IsRecording() {
		return
	}
	name, template := req.Method, templateOf(req.URL.Path)
	if template != "" {
		name += " " + template
	}
	_, span := w.tracer.Start(req.Context(), name, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(began))
	defer span.End()
	span.SetAttributes(about(req, template, resp)...)
	if kind := troubleOf(resp); kind != "" {
		span.SetStatus(codes.Error, kind)
	}
}

// about describes an attempt. The query is left out: it may hold what the vault
// gave out to go on with a list. So is the text of an error, which may quote an
// address.
func about(req *http.Request, template string, resp *http.Response) []attribute.KeyValue {
	at := url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host, Path: req.URL.Path, RawPath: req.URL.RawPath}
	all := append(make([]attribute.KeyValue, 0, 10),
		semconv.HTTPRequestMethodKey.String(req.Method),
		semconv.URLFull(at.String()),
		semconv.ServerAddress(at.Hostname()),
		semconv.ServerPort(portOf(at)),
		semconv.AzureResourceProviderNamespace("Microsoft.KeyVault"),
		attributeClientRequest.String(req.Header.Get(headerClientRequest)))
	if template != "" {
		all = append(all, semconv.URLTemplate(template))
	}
	if resp != nil {
		all = append(all, semconv.HTTPResponseStatusCode(resp.StatusCode))
		if id := resp.Header.Get(headerRequest); id != "" {
			all = append(all, semconv.AzureServiceRequestID(id))
		}
	}
	if kind := troubleOf(resp); kind != "" {
		all = append(all, semconv.ErrorTypeKey.String(kind))
	}
	return all
}

// troubleOf is the value of error.type for an answer, or for none; "" where all
// is well. The challenge before the first token and a call that the quota did not
// allow are a part of the way and no errors: what becomes of the operation in the
// end is told by the span above.
func troubleOf(resp *http.Response) string {
	switch {
	case resp == nil:
		return "_OTHER"
	case resp.StatusCode < http.StatusBadRequest, resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusTooManyRequests:
		return ""
	}
	return strconv.Itoa(resp.StatusCode)
}

// portOf returns the port that a URL names or means.
func portOf(u url.URL) int {
	if n, err := strconv.Atoi(u.Port()); err == nil {
		return n
	}
	if u.Scheme == "http" {
		return 80
	}
	return 443
}

// templateOf returns the path of a request on a key with the key's name and
// version left out, or "".
func templateOf(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if parts[0] != "keys" || len(parts) < 2 || len(parts) > 4 {
		return ""
	}
	template := "/keys/{key-name}/{key-version}"
	if len(parts) == 4 {
		template += "/" + parts[3]
	}
	return template
}
