package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// hangs and cutOff are no statuses of HTTP.
const (
	hangs  = -1 // there is no answer until the request ends
	cutOff = -2 // the connection ends
)

// collector takes OTLP in memory. It gives its answers one after the other, and
// the last one from then on.
type collector struct {
	answers  []int
	header   http.Header // of the answers
	requests []*http.Request
	bodies   [][]byte // as they were sent
}

func (c *collector) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	c.requests, c.bodies = append(c.requests, req), append(c.bodies, body)
	answer := c.answers[min(len(c.requests), len(c.answers))-1]
	switch answer {
	case hangs:
		<-req.Context().Done()
		return nil, req.Context().Err()
	case cutOff:
		return nil, io.ErrUnexpectedEOF
	}
	w := httptest.NewRecorder()
	for name := range c.header {
		w.Header().Set(name, c.header.Get(name))
	}
	w.WriteHeader(answer)
	return w.Result(), nil
}

// newCollector returns a collector and the endpoint that leads to it.
func newCollector(t *testing.T, answers ...int) (*collector, *Endpoint) {
	t.Helper()
	c := &collector{answers: answers}
	e, err := New(Config{URL: "http://collector.invalid/v1/any", Headers: map[string]string{"Key": "a secret"}, Timeout: 5 * time.Second, Transport: c})
	must(t, err)
	return c, e
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// plain returns the body of a request as a Collector reads it.
func (c *collector) plain(t *testing.T, i int) []byte {
	t.Helper()
	header := c.requests[i].Header
	if encoding, form := header.Get("Content-Encoding"), header.Get("Content-Type"); encoding != "gzip" || form != "application/x-protobuf" {
		t.Errorf("got %q %q, want protobuf in gzip", encoding, form)
	}
	r, err := gzip.NewReader(bytes.NewReader(c.bodies[i]))
	must(t, err)
	plain, err := io.ReadAll(r)
	must(t, err)
	return plain
}

func TestNew(t *testing.T) {
	t.Parallel()
	for url, good := range map[string]bool{
		"http://localhost:4318/v1/traces": true, "https://collector.example": true,
		"": false, "localhost:4318": false, "http://": false, "grpc://collector.example:4317": false, "http://a b/": false,
	} {
		if _, err := New(Config{URL: url}); (err == nil) != good {
			t.Errorf("%q: got %v, want good %t", url, err, good)
		}
	}
}

// TestUpload: what may pass is tried again for about a minute, what may not is
// not, and the last answer is the error.
func TestUpload(t *testing.T) {
	t.Parallel()
	const many = 5 // more than so many requests
	tests := map[string]struct {
		answers     []int
		requests    int
		status      int // of the error; 0: there is none
		least, most time.Duration
	}{
		"accepted":           {[]int{200}, 1, 0, 0, 0},
		"accepted in part":   {[]int{202}, 1, 0, 0, 0},
		"busy for a while":   {[]int{503, 429, 200}, 3, 0, time.Second / 2, 2 * time.Second},
		"behind a gateway":   {[]int{502, 504, 200}, 3, 0, time.Second / 2, 2 * time.Second},
		"cut off":            {[]int{cutOff, 200}, 2, 0, time.Second / 4, time.Second},
		"hangs once":         {[]int{hangs, 200}, 2, 0, 5 * time.Second, 6 * time.Second},
		"refused":            {[]int{400}, 1, 400, 0, 0},
		"not authorized":     {[]int{401}, 1, 401, 0, 0},
		"fails":              {[]int{500}, 1, 500, 0, 0},
		"busy, then refused": {[]int{503, 404}, 2, 404, time.Second / 4, time.Second},
		"busy for ever":      {[]int{503}, many, 503, 20 * time.Second, time.Minute},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, e := newCollector(t, test.answers...)
				began := time.Now()
				err := e.UploadTraces(t.Context(), nil)
				status := 0
				if refusal, ok := errors.AsType[*Refusal](err); ok {
					status = refusal.Status
				}
				if status != test.status || (err == nil) != (test.status == 0) {
					t.Errorf("got %v, want an error of status %d", err, test.status)
				}
				if got := min(len(c.requests), many); got != test.requests {
					t.Errorf("got %d requests, want %d", got, test.requests)
				}
				if took := time.Since(began); took < test.least || took > test.most { // waits are random
					t.Errorf("got %s, want %s to %s", took, test.least, test.most)
				}
			})
		})
	}
}

// TestUploadEnds: a context that ends, ends the tries.
func TestUploadEnds(t *testing.T) {
	t.Parallel()
	for _, answer := range []int{503, hangs} {
		synctest.Test(t, func(t *testing.T) {
			_, e := newCollector(t, answer)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			began := time.Now()
			if err := e.UploadTraces(ctx, nil); err == nil {
				t.Errorf("answer %d: got no error", answer)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("answer %d: got %s, want 3s at most", answer, took)
			}
		})
	}
}

// TestUploadIsRead: a Collector reads what is sent, also when it is sent again.
func TestUploadIsRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, e := newCollector(t, 503, 200)
		for _, name := range []string{"first", "second, which is longer", "3rd"} {
			spans := []*tracepb.Span{{TraceId: make([]byte, 16), Name: name}}
			must(t, e.UploadTraces(t.Context(), []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans}}}}))
		}
		want := []string{"first", "first", "second, which is longer", "3rd"}
		if len(c.requests) != len(want) {
			t.Fatalf("got %d requests, want %d", len(c.requests), len(want))
		}
		for i, req := range c.requests {
			request := ptraceotlp.NewExportRequest()
			must(t, request.UnmarshalProto(c.plain(t, i)))
			if got := request.Traces().ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Name(); got != want[i] {
				t.Errorf("request %d: got span %q, want %q", i, got, want[i])
			}
			if got := req.Method + " " + req.URL.String() + " " + req.Header.Get("Key"); got != "POST http://collector.invalid/v1/any a secret" {
				t.Errorf("got %s", got)
			}
		}
	})
}

// TestPost: a body goes as it is, once, and a refusal says how long to wait.
func TestPost(t *testing.T) {
	t.Parallel()
	for after, want := range map[string]time.Duration{
		"": 0, "20": 20 * time.Second, "0": 0, "-5": 0, "soon": 0, "Fri, 31 Dec 1999 23:59:59 GMT": 0,
	} {
		c, e := newCollector(t, 503)
		c.header = http.Header{"Retry-After": {after}}
		err := e.Post(t.Context(), []byte("body"), "")
		refusal, ok := errors.AsType[*Refusal](err)
		if !ok || refusal.After != want || !refusal.Passing() || err.Error() != "it answers 503 Service Unavailable" {
			t.Errorf("Retry-After %q: got %v, want 503 and %s", after, err, want)
		}
		if _, encoded := c.requests[0].Header["Content-Encoding"]; len(c.bodies) != 1 || string(c.bodies[0]) != "body" || encoded {
			t.Errorf("got %q, want the body once, without an encoding", c.bodies)
		}
	}
}
