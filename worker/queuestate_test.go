package worker_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/worker"
)

// TestQueueState: each job queue tells of itself.
func TestQueueState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRigOn(t, localbus.Config{Queues: []localbus.Queue{{Name: "urgent"}}})
		r.config.Lanes = []worker.Lane{{Name: "urgent", Jobs: r.receiver("urgent")}}
		for i := range 3 {
			r.submit(job(fmt.Sprint("a", i), 4))
		}
		<-time.After(time.Minute)
		w, _ := r.startWorker()
		r.must(r.sender("urgent").Send(t.Context(), queue.Message{ID: "b", Body: r.encode(job("b", 2))}))
		for range 4 {
			r.reply()
		}
		<-time.After(10 * time.Second)
		s := w.State()
		if len(s.Queues) != 2 || s.Items != 14 {
			t.Fatalf("got %+v, want 2 queues and 14 items", s)
		}
		jobs, urgent := s.Queues[0], s.Queues[1]
		if jobs.Lane != "" || jobs.Items != 12 || jobs.JobItems != 4 || jobs.Latest != 3 || jobs.Waited < time.Minute || jobs.Held != 0 {
			t.Errorf("jobs: got %+v, want 12 items in jobs of 4, the last one number 3 after a minute", jobs)
		}
		if urgent.Lane != "urgent" || urgent.Items != 2 || urgent.Waited > time.Second || urgent.Asking < 9*time.Second {
			t.Errorf("urgent: got %+v, want 2 items and nothing for 10 s", urgent)
		}
	})
}

// TestQueueStateRefused: that one queue works does not hide that another refuses
// the worker, and the refusal is over although no job comes.
func TestQueueStateRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRigOn(t, localbus.Config{OpenAccess: true, Queues: []localbus.Queue{{Name: "urgent"}}})
		r.config.Lanes = []worker.Lane{{Name: "urgent", Jobs: r.receiver("urgent")}}
		w, _ := r.startWorker()
		urgent := func() worker.QueueState { return w.State().Queues[1] }
		r.manage(http.MethodPut, "urgent", "<Status>ReceiveDisabled</Status>")
		<-time.After(30 * time.Second)
		r.submit(job("a", 1))
		r.reply()
		if got := urgent().Refused; !errors.Is(got, queue.ErrNotFound) {
			t.Errorf("got %v, want that the queue is not there", got)
		}
		r.manage(http.MethodPut, "urgent", "<Status>Active</Status>")
		<-time.After(4 * time.Minute)
		if got := urgent(); got.Refused != nil || got.Asking == 0 {
			t.Errorf("got %+v, want no refusal", got)
		}
	})
}
