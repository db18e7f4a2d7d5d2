package worker_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
)

// manage changes a queue of the broker.
func (r *rig) manage(method, name, description string) {
	r.t.Helper()
	w := httptest.NewRecorder()
	request := httptest.NewRequest(method, "/"+name, strings.NewReader("<entry><content><QueueDescription>"+description+"</QueueDescription></content></entry>"))
	if method == http.MethodPut {
		request.Header.Set("If-Match", "*")
	}
	r.bus.Handler().ServeHTTP(w, request)
	if w.Code >= 300 {
		r.t.Fatalf("%s %s: got %d %s", method, name, w.Code, w.Body)
	}
}

// results is a reply queue that holds five messages of 200 KB.
const results = "results"

func withResults(t *testing.T, test func(t *testing.T, r *rig)) {
	synctest.Test(t, func(t *testing.T) {
		r := newRigOn(t, localbus.Config{OpenAccess: true, Queues: []localbus.Queue{
			{Name: results, QueueProperties: localbus.QueueProperties{RequiresDuplicateDetect: true, MaxSizeMegabytes: 1}},
		}})
		r.config.Replies, r.config.DefaultReply = map[string]queue.Sender{results: r.sender(results)}, results
		test(t, r)
	})
}

// fill puts so much into the reply queue that nothing more fits, and returns
// what takes it out again.
func (r *rig) fill() (empty func()) {
	to, size, held := r.sender(results), 200_000, 0
	for size > 10 {
		if to.Send(r.t.Context(), queue.Message{ID: fmt.Sprint("filler ", held), Body: make([]byte, size)}) != nil {
			size /= 2
			continue
		}
		held++
	}
	return func() {
		from := r.receiver(results)
		for range held {
			r.take(from)
		}
		r.must(from.Close(r.t.Context()))
	}
}

// TestReplyQueueInTrouble has a reply queue take nothing for ten minutes. The
// worker takes nothing in that it could not answer, signs nothing that it could
// not send, keeps what it has signed, and goes on when the trouble is over.
func TestReplyQueueInTrouble(t *testing.T) {
	tests := map[string]func(r *rig) (heal func()){
		"full": (*rig).fill,
		"disabled": func(r *rig) func() {
			r.manage(http.MethodPut, results, "<Status>SendDisabled</Status><RequiresDuplicateDetection>true</RequiresDuplicateDetection><MaxSizeInMegabytes>1</MaxSizeInMegabytes>")
			return func() {
				r.manage(http.MethodPut, results, "<Status>Active</Status><RequiresDuplicateDetection>true</RequiresDuplicateDetection><MaxSizeInMegabytes>1</MaxSizeInMegabytes>")
			}
		},
		"missing": func(r *rig) func() {
			r.manage(http.MethodDelete, results, "")
			return func() {
				w := httptest.NewRecorder()
				r.bus.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPut, "/"+results, strings.NewReader("<entry><content><QueueDescription/></content></entry>")))
				if w.Code != http.StatusCreated {
					r.t.Errorf("the reply queue is not made anew: %d %s", w.Code, w.Body)
				}
			}
		},
	}
	const jobs, held = 20, 4
	for name, harm := range tests {
		for _, later := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, jobs can be put off %t", name, later), func(t *testing.T) {
				withResults(t, func(t *testing.T, r *rig) {
					h := newHistory()
					r.config.Jobs, r.config.JobsHeld = recorded{r.config.Jobs, h}, held
					if later {
						r.config.Later = r.sender("jobs")
					}
					heal := harm(r)
					w, _ := r.startWorker()
					for i := range jobs {
						r.submit(job(fmt.Sprint(i), 1))
					}
					<-time.After(10 * time.Minute)
					if signed := r.vault.Stats().Operations["sign"]; signed > held {
						t.Errorf("signed %d times while nothing could be sent, want %d at most", signed, held)
					}
					if len(h.deliveries) > held {
						t.Errorf("%d jobs were taken in while nothing could be sent, want %d at most", len(h.deliveries), held)
					}
					if silent := w.State().Silent; silent > 2*time.Minute {
						t.Errorf("a job has made no step for %s, as if the worker hung", silent)
					}
					heal()
					from := r.receiver(results)
					for range jobs {
						result, err := schema.DecodeResult(r.take(from).Body)
						r.must(err)
						r.verify(job(result.ID, 1), result)
					}
					if signed := r.vault.Stats().Operations["sign"]; signed != jobs {
						t.Errorf("signed %d times for %d jobs", signed, jobs)
					}
					if copies := len(h.deliveries) - jobs; copies < 0 || copies > 0 && !later {
						t.Errorf("%d jobs and copies were delivered for %d jobs", len(h.deliveries), jobs)
					}
					r.empty("jobs")
					r.empty(servicebus.DeadLetters("jobs"))
				})
			})
		}
	}
}

// TestTroubleOfOneReplyQueue fills one of two reply queues: jobs for the other
// are answered, though more wait for the first than the worker may hold.
func TestTroubleOfOneReplyQueue(t *testing.T) {
	withResults(t, func(t *testing.T, r *rig) {
		r.config.Replies["replies"] = r.sender("replies")
		r.config.Later, r.config.JobsHeld = r.sender("jobs"), 4
		empty := r.fill()
		r.start()
		for i := range 12 {
			r.send(queue.Message{ID: fmt.Sprint("full ", i), Body: r.encode(job(fmt.Sprint("full ", i), 1))})
		}
		<-time.After(time.Minute)
		r.send(queue.Message{ID: "other", ReplyTo: "replies", Body: r.encode(job("other", 1))})
		result, _ := r.reply()
		r.verify(job("other", 1), result)
		empty()
		from := r.receiver(results)
		for range 12 {
			r.take(from)
		}
		r.empty(servicebus.DeadLetters("jobs"))
	})
}

// TestReplyThatIsTooLarge has a result that its queue does not allow: the job is
// dead-lettered after one attempt, with a notice.
func TestReplyThatIsTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRigOn(t, localbus.Config{Queues: []localbus.Queue{
			{Name: "small", QueueProperties: localbus.QueueProperties{MaxMessageBytes: 8 << 10}},
		}})
		r.config.Replies["small"] = r.sender("small")
		r.start()
		r.send(queue.Message{ID: "j", ReplyTo: "small", Body: r.encode(job("j", 200))})
		dead := r.take(r.receiver(servicebus.DeadLetters("jobs")))
		if got := dead.Properties["DeadLetterReason"]; got != string(schema.CodeTooLarge) || dead.Count != 1 {
			t.Errorf("dead letter has the reason %q after %d deliveries, want %s after one", got, dead.Count, schema.CodeTooLarge)
		}
		if signed := r.vault.Stats().Operations["sign"]; signed != 200 {
			t.Errorf("signed %d times, want 200", signed)
		}
		r.stillWorks()
	})
}
