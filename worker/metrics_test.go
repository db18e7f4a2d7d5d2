package worker_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/semconv/v1.43.0/messagingconv"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/signer/instrument"
	"github.com/signmill/signmill/signer/localvault"
	"github.com/signmill/signmill/worker"
)

// measured lets the worker of r measure, and returns what reads it.
func (r *rig) measured() *sdkmetric.ManualReader {
	reader := sdkmetric.NewManualReader()
	r.config.Telemetry.JobQueue = "jobs"
	r.config.Telemetry.Meter = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")
	return reader
}

// reading is the value of a counter or gauge, or the count of a histogram, by
// name and attributes.
func (r *rig) reading(from *sdkmetric.ManualReader) map[string]float64 {
	r.t.Helper()
	var data metricdata.ResourceMetrics
	r.must(from.Collect(r.t.Context(), &data))
	got := map[string]float64{}
	for _, m := range data.ScopeMetrics[0].Metrics {
		switch d := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range d.DataPoints {
				got[m.Name+shown(p.Attributes)] = float64(p.Value)
			}
		case metricdata.Gauge[float64]:
			for _, p := range d.DataPoints {
				got[m.Name+shown(p.Attributes)] = p.Value
			}
		case metricdata.Histogram[float64]:
			for _, p := range d.DataPoints {
				got[m.Name+shown(p.Attributes)] = float64(p.Count)
			}
		}
	}
	return got
}

// shown writes attributes as text, without those that all have.
func shown(set attribute.Set) string {
	var parts []string
	for _, a := range set.ToSlice() {
		if a.Key != "messaging.system" {
			parts = append(parts, " "+a.Value.AsString())
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, "")
}

// TestMeasurementsOfJobs: one job that is answered, one that is refused, one
// that is no job, and one whose signature is wrong.
func TestMeasurementsOfJobs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		reader := r.measured()
		r.submit(job("first", 1)) // waits for the worker
		<-time.After(20 * time.Second)
		drain := r.start()
		r.reply()
		r.send(queue.Message{ID: "b", Body: r.encode(job("b", 3)), Properties: map[string]any{"traceparent": "garbage"}})
		r.reply()
		refused := job("c", 1)
		refused.Key = "nobody"
		r.submit(refused)
		r.reply()
		r.send(queue.Message{ID: "d", Body: []byte("no job")})
		r.take(r.receiver("jobs/$DeadLetterQueue"))
		r.vault.SetFaults(localvault.Faults{WrongSignature: 1})
		r.submit(job("e", 1))
		r.reply()
		r.vault.SetFaults(localvault.Faults{Throttle: 3})
		drain()
		got := r.reading(reader)
		for name, want := range map[string]float64{
			"messaging.client.consumed.messages jobs receive":      5,
			"messaging.client.sent.messages replies send":          4,
			"messaging.client.operation.duration replies send":     4,
			"messaging.client.operation.duration complete jobs":    4,
			"messaging.client.operation.duration dead_letter jobs": 1,
			"messaging.process.duration jobs process":              4,
			"messaging.process.duration jobs not_json process":     1,
			"signmill.job.duration":                                5,
			"signmill.queue.wait":                                  5,
			"signmill.dead_letters not_json":                       1,
			"signmill.items ec ok sign":                            4,
			"signmill.items ec integrity sign":                     1,
			"signmill.verify.failures ec":                          1,
			"signmill.trace.malformed":                             1,
			"signmill.jobs.held jobs":                              0,
			"signmill.jobs.held.limit jobs":                        128,
			"signmill.places.limit jobs":                           64,
		} {
			if v, ok := got[name]; !ok || v != want {
				t.Errorf("%s: got %v, want %v, among\n%s", name, v, want, strings.Join(sortedKeys(got), "\n"))
			}
		}
	})
}

func sortedKeys(m map[string]float64) (keys []string) {
	for k, v := range m {
		keys = append(keys, fmt.Sprint(k, " = ", v))
	}
	slices.Sort(keys)
	return keys
}

// TestMeasurementsOfTrouble: a job that comes again, and a lock that is renewed.
func TestMeasurementsOfTrouble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		reader := r.measured()
		r.vault.SetFaults(localvault.Faults{Delay: 15 * time.Second})
		drain := r.start()
		r.submit(job("slow", 1))
		r.reply()
		r.vault.SetFaults(localvault.Faults{Fail: 1000})
		r.submit(job("again", 1))
		r.reply()
		drain()
		got := r.reading(reader)
		if v := got["signmill.jobs.redelivered"]; v != 2 {
			t.Errorf("redelivered: got %v, want 2", v)
		}
		if v := got["signmill.lock.margin"]; v < 1 {
			t.Errorf("lock.margin: got %v measurements, want one at least", v)
		}
		if v := got["signmill.dead_letters attempts_exhausted"]; v != 1 {
			t.Errorf("dead_letters: got %v, want 1", v)
		}
	})
}

// TestConventionMetrics holds the table to the conventions.
func TestConventionMetrics(t *testing.T) {
	t.Parallel()
	type convention interface {
		Name() string
		Unit() string
		Description() string
	}
	rows := map[string]instrument.Row{}
	for _, row := range worker.Metrics() {
		rows[row.Name] = row
	}
	for _, c := range []convention{
		messagingconv.ClientOperationDuration{}, messagingconv.ClientSentMessages{}, messagingconv.ClientConsumedMessages{}, messagingconv.ProcessDuration{},
	} {
		row := rows[c.Name()]
		if row.Unit != c.Unit() || row.About+"." != c.Description() {
			t.Errorf("%s: got %q and %q, want %q and %q", c.Name(), row.Unit, row.About, c.Unit(), c.Description())
		}
	}
}

// TestState: what people are shown of a worker.
func TestState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.vault.SetFaults(localvault.Faults{Delay: time.Minute})
		w, drain := r.startWorker()
		r.submit(job("slow", 2))
		<-time.After(30 * time.Second)
		if s := w.State(); s.Held != 1 || s.Silent < 29*time.Second || s.Items != 0 {
			t.Errorf("with a job: got %+v, want one held for 30 s", s)
		}
		r.vault.SetFaults(localvault.Faults{})
		r.reply()
		r.send(queue.Message{ID: "bad", Body: []byte("no job")})
		r.take(r.receiver("jobs/$DeadLetterQueue"))
		drain()
		s := w.State()
		if s.Held != 0 || s.Silent != 0 || s.Items != 2 || s.Answered != 1 || s.Dead != 1 {
			t.Errorf("at the end: got %+v, want 2 items, 1 job answered and 1 dead-lettered", s)
		}
		if len(s.Failures) != 1 || s.Failures[0].MessageID != "bad" || s.Failures[0].Kind != "not_json" {
			t.Errorf("failures: got %+v, want one of bad", s.Failures)
		}
	})
}
