package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus/admin"

	"github.com/signmill/signmill/schema"
)

// TestLostTraceQueueChangesNothing: jobs do not depend on their traces, whether
// the queue for those was never there or goes while it is in use.
func TestLostTraceQueueChangesNothing(t *testing.T) {
	t.Parallel()
	t.Run("never there", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m := newMill(t, func(o *workerOptions) { o.traceQueue = "traces" })
			m.signAtOnce(20)
			m.drain()
			if sent, dropped := m.post.telemetry.queue.Counts(); sent != 0 || dropped < 20 {
				t.Errorf("got %d spans sent and %d dropped, want all dropped", sent, dropped)
			}
		})
	})
	t.Run("deleted", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m := newMill(t, func(o *workerOptions) { o.traceQueue = "traces" }, localQueue{Name: "traces"})
			m.signAtOnce(20)
			m.take("traces", 1)
			before, _ := m.post.telemetry.queue.Counts()
			m.deleteQueue("traces")
			m.signAtOnce(20)
			m.drain()
			if sent, dropped := m.post.telemetry.queue.Counts(); sent != before || dropped < 20 {
				t.Errorf("got %d spans sent and %d dropped after %d were sent, want all of the second half dropped", sent, dropped, before)
			}
		})
	})
}

// signAtOnce has so many jobs done, and no time pass.
func (m *mill) signAtOnce(jobs int) {
	m.t.Helper()
	began := time.Now()
	for i := range jobs {
		m.submit(fmt.Sprint(began.UnixNano(), i), 5)
	}
	for _, reply := range m.take("replies", jobs) {
		if result, err := schema.DecodeResult(reply.Body); err != nil || result.Status != schema.Succeeded {
			m.t.Errorf("got %v, %v, want success", result.Status, err)
		}
	}
	if took := time.Since(began); took > time.Second {
		m.t.Errorf("got %s of virtual time, want no wait", took)
	}
}

// deleteQueue takes a queue away from those who use it, as its owner would.
func (m *mill) deleteQueue(name string) {
	m.t.Helper()
	owner, err := admin.NewClientFromConnectionString(m.stack.backend(localVaultURL).Bus.ConnectionString,
		&admin.ClientOptions{ClientOptions: policy.ClientOptions{Transport: inMemory{m.stack.bus.Handler()}}})
	must(m.t, err)
	_, err = owner.DeleteQueue(m.t.Context(), name, nil)
	must(m.t, err)
}

// inMemory hands requests to a server in this process.
type inMemory struct{ http.Handler }

func (h inMemory) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), nil
}
