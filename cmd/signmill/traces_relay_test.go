package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestRelayTarget: a URL takes the place of the variables' one, wrong as that may
// be, and keeps their headers and time limit.
func TestRelayTarget(t *testing.T) {
	late, came := make(chan struct{}), make(chan http.Header, 1)
	endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		came <- r.Header
		<-late
	}))
	defer endpoint.Close()
	defer close(late)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "nowhere")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=k")
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1000")
	target, err := relayTarget(endpoint.URL)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second) // less than the limit without the variable
	defer cancel()
	if err := target.Post(ctx, nil, ""); err == nil || ctx.Err() != nil {
		t.Errorf("an endpoint that does not answer was waited for: %v", err)
	}
	select {
	case headers := <-came:
		if got := headers.Get("api-key"); got != "k" {
			t.Errorf("got the header %q, want k", got)
		}
	default:
		t.Error("the endpoint got no request")
	}
	if _, err := relayTarget(""); err == nil {
		t.Error("a wrong URL in the variables was taken")
	}
}
