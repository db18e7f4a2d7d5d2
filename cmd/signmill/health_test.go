package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/signer/localvault"
	"github.com/signmill/signmill/worker"
)

// ask gets a page of h.
func ask(h *health, path string) (int, string) {
	w := httptest.NewRecorder()
	h.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

// TestHealth follows a worker from its start to its end.
func TestHealth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMill(t, func(o *workerOptions) { o.health, o.budget.units = ":0", 4000 })
		h := newHealth(m.post, 5*time.Minute)
		check := func(path string, want int, text string) {
			t.Helper()
			if code, body := ask(h, path); code != want || !strings.Contains(body, text) {
				t.Errorf("%s: got %d %s, want %d and %q", path, code, body, want, text)
			}
		}
		check("/livez", 200, "ok")
		check("/readyz", 503, "being tried")
		h.set(true, false)
		check("/readyz", 200, "ok")
		h.sample(time.Now())
		m.submit("a", 20)
		m.take("replies", 1)
		<-time.After(10 * time.Second)
		check("/", 200, "<b>2.0</b>items a second")
		check("/", 200, "<b>1</b>jobs answered")
		h.set(true, true)
		check("/readyz", 503, "draining")
		check("/", 200, "draining")
		check("/elsewhere", 404, "")
		m.stack.vault.SetFaults(localvault.Faults{Delay: 2 * time.Minute})
		m.submit("slow", 1)
		<-time.After(time.Minute)
		h.limit = 30 * time.Second
		check("/livez", 503, "a job has come no further for 1m0s")
	})
}

// TestMetricsPage: what the table lists is what Prometheus reads.
func TestMetricsPage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMill(t, func(o *workerOptions) { o.health, o.budget.units = ":0", 4000 })
		m.submit("a", 1)
		m.take("replies", 2) // the spans, too
		_, page := ask(newHealth(m.post, time.Minute), "/metrics")
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

// TestStatusPageEscapes: a message id is another's text.
func TestStatusPageEscapes(t *testing.T) {
	t.Parallel()
	page := status{Gates: []vaultState{{}}, Worker: worker.State{Failures: []worker.Failure{{MessageID: "<script>1 % 2</script>", Kind: "not_json"}}}}.html()
	if strings.Contains(page, "<script") || !strings.Contains(page, "&lt;script&gt;1 % 2&lt;/script&gt;") {
		t.Errorf("got %s, want the id as text", page)
	}
	if strings.Contains(page, "%!") {
		t.Error("a value is written with a wrong format")
	}
	if fmt.Sprint(strings.Count(page, "<table>"), strings.Count(page, "</table>")) != "2 2" {
		t.Error("tables are not closed")
	}
}
