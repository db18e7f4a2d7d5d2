package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/status"
	"github.com/signmill/signmill/signer/localvault"
)

// ward is a worker with what tells of it.
type ward struct {
	*mill
	health *status.Server
	serves context.Context
	drains func()
}

// watched runs a test in virtual time on a worker that is told of.
func watched(t *testing.T, change func(*workerOptions), test func(w *ward), more ...localQueue) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var o workerOptions
		w := &ward{mill: newMill(t, func(own *workerOptions) {
			own.health, own.budget.units = ":0", 4000
			if change != nil {
				change(own)
			}
			o = *own
		}, more...)}
		var err error
		w.health, err = o.newHealth(w.post)
		must(t, err)
		w.serves, w.drains = context.WithCancel(t.Context())
		t.Cleanup(w.drains)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { w.health.Watch(ctx); close(ended) }()
		defer func() { stop(); <-ended }()
		test(w)
	})
}

// ask gets a page.
func ask(h *status.Server, path string) (int, string) {
	w := httptest.NewRecorder()
	h.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

// says checks the answer of a path.
func (w *ward) says(path string, want int, text string) {
	w.t.Helper()
	if code, body := ask(w.health, path); code != want || !strings.Contains(body, text) {
		w.t.Errorf("%s: got %d %s, want %d and %q", path, code, body, want, text)
	}
}

// view is what programs are told.
func (w *ward) view() (v status.View) {
	w.t.Helper()
	_, body := ask(w.health, "/status.json")
	must(w.t, json.Unmarshal([]byte(body), &v))
	return v
}

// TestHealth follows a worker from its start to its end.
func TestHealth(t *testing.T) {
	watched(t, nil, func(w *ward) {
		w.says("/livez", 200, "ok")
		w.says("/readyz", 503, "starting: queues and keys are being tried")
		w.says("/", 200, "starting")
		w.health.Serve(w.serves)
		w.says("/readyz", 200, "ok")
		w.submit("a", 20)
		w.take("replies", 1)
		<-time.After(10 * time.Second)
		w.says("/", 200, "<p class=\"value\">2.0</p><p class=\"about\">items a second</p>")
		if v := w.view(); v.Rate < 1.9 || v.Rate > 2 || v.Totals.Answered != 1 || v.Queues[0].Name != "jobs" || !v.Queues[0].Backlog.Known || v.Queues[0].Backlog.ETA != 0 {
			t.Errorf("got %+v, want 2 items a second, a job, and nothing that waits", v)
		}
		w.drains()
		synctest.Wait()
		w.says("/readyz", 503, "draining")
		w.says("/livez", 200, "ok")
		w.says("/", 200, "draining")
		w.says("/elsewhere", 404, "")
		for _, p := range status.Paths() {
			if code, body := ask(w.health, p.Path); code == 404 || body == "" {
				t.Errorf("%s: got %d %q, want an answer", p.Path, code, body)
			}
		}
	})
}

// TestLiveness: a job that comes no further for longer than it may is a worker
// that hangs, and only that is.
func TestLiveness(t *testing.T) {
	watched(t, func(o *workerOptions) { o.config.JobTimeout = time.Hour }, func(w *ward) {
		w.health.Serve(w.serves)
		w.health.Longest = time.Minute
		w.stack.vault.SetFaults(localvault.Faults{Delay: 20 * time.Minute})
		w.submit("slow", 1)
		<-time.After(59 * time.Second)
		w.says("/livez", 200, "ok")
		<-time.After(time.Minute)
		w.says("/livez", 503, "a job of the queue jobs has come no further for 1m59s")
		w.says("/", 200, "in trouble")
	})
}

// TestReadyWithoutBroker: while the broker is away nothing is taken, and the
// process is well. A broken connection alone is no trouble.
func TestReadyWithoutBroker(t *testing.T) {
	watched(t, nil, func(w *ward) {
		w.health.Serve(w.serves)
		<-time.After(time.Minute)
		w.stack.bus.DropConnections()
		<-time.After(90 * time.Second)
		w.says("/readyz", 200, "ok")
		w.away.Store(true)
		w.stack.bus.DropConnections()
		<-time.After(30 * time.Second)
		w.says("/readyz", 200, "ok")
		<-time.After(90 * time.Second)
		w.says("/readyz", 503, "the broker has not answered for ")
		w.says("/metrics", 200, "signmill_broker_silence_seconds{messaging_destination_name=\"jobs\"")
		w.says("/livez", 200, "ok")
		if b := w.view().Queues[0].Backlog; b.Known || b.Why == "" {
			t.Errorf("got backlog %+v, want why it is not known", b)
		}
		w.away.Store(false)
		<-time.After(2 * time.Minute)
		w.says("/readyz", 200, "ok")
	})
}

// TestReadyWithoutVault: the vault is the same for all replicas. The worker takes
// jobs, puts them off, and says on its page what is wrong.
func TestReadyWithoutVault(t *testing.T) {
	watched(t, nil, func(w *ward) {
		w.health.Serve(w.serves)
		w.submit("before", 1)
		w.take("replies", 1)
		w.stack.vault.SetFaults(localvault.Faults{Fail: 1e9})
		w.submit("a", 1)
		<-time.After(2 * time.Minute)
		w.says("/readyz", 200, "ok")
		w.says("/livez", 200, "ok")
		if v := w.view(); v.Totals.Items != 1 {
			t.Errorf("got %d items done, want that of before", v.Totals.Items)
		}
		w.says("/", 200, "No call to "+localVaultURL+" was answered in the last minute")
		for n := 0; w.view().Queues[0].PutOff != 1; n++ {
			if <-time.After(time.Second); n == 1800 {
				t.Fatalf("got %+v, want a job that is put off", w.view().Queues[0])
			}
		}
		w.says("/readyz", 200, "ok")
		w.says("/livez", 200, "ok")
		w.says("/", 200, "<td>unavailable</td>")
	})
}

// TestReadyWithALaneRefused: one queue that refuses the worker is enough, and is
// named.
func TestReadyWithALaneRefused(t *testing.T) {
	watched(t, func(o *workerOptions) { o.lanes = []string{"fast=urgent"} }, func(w *ward) {
		w.health.Serve(w.serves)
		w.submit("a", 1)
		w.take("replies", 1)
		<-time.After(2 * time.Minute)
		w.says("/readyz", 503, "the queue urgent refuses the worker: there is no such queue, or it is disabled")
		w.says("/livez", 200, "ok")
		if v := w.view(); v.Queues[0].Refused || !v.Queues[1].Refused || v.Queues[1].Lane != "fast" {
			t.Errorf("got %+v, want that the lane alone refuses", v.Queues)
		}
	})
}

// TestBacklog: what waits is told for each queue, without any right but that to
// listen, and when it is done at the rate of now.
func TestBacklog(t *testing.T) {
	watched(t, func(o *workerOptions) { o.budget.units, o.lanes, o.config.JobsHeld = 100, []string{"fast=urgent"}, 4 }, func(w *ward) {
		w.health.Serve(w.serves)
		const jobs, items = 100, 20
		for i := range jobs {
			w.submit(fmt.Sprint(i), items)
		}
		<-time.After(50 * time.Second) // at 10 items a second
		v := w.view()
		b, done := v.Queues[0].Backlog, float64(v.Totals.Items)
		if left := jobs - done/items; !b.Known || float64(b.Jobs) > left || float64(b.Jobs) < left-16 {
			t.Errorf("got %+v, want almost %.0f jobs", b, left)
		}
		if eta := b.Items / v.Queues[0].Rate; b.Items != float64(b.Jobs*items) || b.ETA < eta-1 || b.ETA > eta+1 {
			t.Errorf("got %+v at %.1f items/s, want jobs of %d items, done in %.0f s", b, v.Queues[0].Rate, items, eta)
		}
		if b := v.Queues[1].Backlog; !b.Known || b.Jobs != 0 || b.ETA != 0 {
			t.Errorf("lane: got %+v, want that nothing waits", b)
		}
		_, page := ask(w.health, "/metrics")
		for _, want := range []string{fmt.Sprintf("signmill_queue_backlog{messaging_destination_name=\"jobs\",otel_scope_name=\"%s\",otel_scope_schema_url=\"\",otel_scope_version=\"\"} %d\n", scopeName, b.Jobs)} {
			if !strings.Contains(page, want) {
				t.Errorf("metrics: want %s", want)
			}
		}
		w.says("/", 200, fmt.Sprintf("about %d jobs", b.Jobs))
	}, localQueue{Name: "urgent"})
}

// TestMetricsPage: what the table lists is what Prometheus reads.
func TestMetricsPage(t *testing.T) {
	watched(t, nil, func(w *ward) {
		w.submit("a", 1)
		w.take("replies", 2) // the spans, too
		<-time.After(20 * time.Second)
		_, page := ask(w.health, "/metrics")
		sometimes := " signmill.jobs.redelivered signmill.dead_letters signmill.verify.failures signmill.lock.margin signmill.trace.malformed signmill.vault.calls.saved "
		for _, row := range allMetrics() {
			name := strings.ReplaceAll(row.Name, ".", "_")
			if !strings.Contains(page, "# HELP "+name) && !strings.Contains(sometimes, " "+row.Name+" ") {
				t.Errorf("%s is not on the page", row.Name)
			}
			if strings.Contains(page, "# HELP "+name) && !strings.Contains(page, row.About) {
				t.Errorf("%s: the text of the table is not on the page", row.Name)
			}
		}
		if !strings.Contains(page, "go_goroutines") {
			t.Error("the state of Go's runtime is not on the page")
		}
	})
}
