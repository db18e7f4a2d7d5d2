package keyvault

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/localvault"
)

var update = flag.Bool("update", false, "write the golden files")

// TestSpansOfRequests compares the spans of a key's first use, of a call that
// is throttled once, and of one that fails, with a golden file: an upgrade of
// the SDK that changes them shows up.
func TestSpansOfRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		recorder := tracetest.NewSpanRecorder()
		tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer("test")
		server := openVault(t, localvault.Config{Keys: keySpecs()[:2]})
		c := clientOf(t, server.RoundTripper(), func(config *Config) { config.Tracer = tracer })
		ctx, root := tracer.Start(t.Context(), "job")
		key, err := c.Resolve(ctx, refFor(schema.ES256))
		if err != nil {
			t.Fatal(err)
		}
		for _, faults := range []localvault.Faults{{Throttle: 1}, {Fail: 1}, {DropAnswer: 1}} {
			server.SetFaults(faults)
			if _, err := c.Sign(ctx, key, schema.ES256, someDigest()); err != nil {
				t.Fatal(err)
			}
		}
		root.End()
		compareGolden(t, "spans.txt", rendered(recorder.Ended()))
	})
}

// TestNoSpansOutsideAJob: what is not recorded above makes no span below.
func TestNoSpansOutsideAJob(t *testing.T) {
	t.Parallel()
	recorder := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer("test")
	c := clientOf(t, openVault(t, localvault.Config{Keys: keySpecs()[:2]}).RoundTripper(), func(config *Config) { config.Tracer = tracer })
	ctx, root := tracer.Start(t.Context(), "job")
	quiet := trace.ContextWithSpanContext(ctx, root.SpanContext())
	key := resolve(t, c, refFor(schema.ES256))
	if _, err := c.Sign(quiet, key, schema.ES256, someDigest()); err != nil {
		t.Fatal(err)
	}
	if got := recorder.Ended(); len(got) > 0 {
		t.Errorf("got %d spans, want none: %s", len(got), rendered(got))
	}
}

// rendered writes spans as text, in the order of their ends, without what
// differs from run to run.
func rendered(spans []sdktrace.ReadOnlySpan) string {
	var b strings.Builder
	for _, s := range spans {
		fmt.Fprintf(&b, "%s [%s] %s\n", s.Name(), s.SpanKind(), s.Status().Code)
		attributes := slices.Clone(s.Attributes())
		slices.SortFunc(attributes, func(a, b attribute.KeyValue) int { return strings.Compare(string(a.Key), string(b.Key)) })
		for _, a := range attributes {
			fmt.Fprintf(&b, "  %s=%s\n", a.Key, varying().ReplaceAllString(a.Value.String(), "*"))
		}
	}
	return b.String()
}

// varying matches request ids and key versions.
func varying() *regexp.Regexp {
	return regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}`)
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s", path, got)
	}
}
