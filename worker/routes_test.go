package worker_test

import (
	"context"
	"testing"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/worker"
)

// run is start for a test that needs the worker itself.
func (r *rig) run() *worker.Worker {
	r.t.Helper()
	w, err := worker.New(r.config)
	r.must(err)
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	r.cleanup(func(context.Context) error { cancel(); return <-done })
	return w
}

// TestRepliesChange opens a reply queue and closes another while jobs are held:
// those are answered where they were to be, later ones by the new list.
func TestRepliesChange(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		slow := r.slowDown()
		w := r.run()
		r.send(queue.Message{ID: "held", Body: r.encode(job("held", 1)), ReplyTo: "private", ReplyToSessionID: "s"})
		<-slow.started
		r.must(w.SetReplies(map[string]queue.Sender{"replies": r.config.Replies["replies"], "elsewhere": r.sender("elsewhere")}, "elsewhere"))
		r.send(queue.Message{ID: "late", Body: r.encode(job("late", 1)), ReplyTo: "private", ReplyToSessionID: "s"})
		late, err := schema.DecodeResult(r.take(r.receiver("elsewhere")).Body)
		r.must(err)
		if e := late.Items[0].Error; late.ID != "late" || e == nil || e.Code != schema.CodeReplyNotAllowed {
			t.Errorf("a job for a queue that is gone: got %+v", late)
		}
		close(slow.letGo)
		private, err := r.client.SessionReceiver(t.Context(), "private", "s")
		r.must(err)
		if got := r.take(private); got.CorrelationID != "held" {
			t.Errorf("the job that was held: got the answer to %s", got.CorrelationID)
		}
		r.send(queue.Message{ID: "new", Body: r.encode(job("new", 1))})
		if got := r.take(r.receiver("elsewhere")); got.CorrelationID != "new" {
			t.Errorf("a job without ReplyTo: got the answer to %s", got.CorrelationID)
		}
		if err := w.SetReplies(nil, "replies"); err == nil {
			t.Error("a default that is not listed is taken")
		}
	})
}

// declining is a policy that refuses with a code of its own.
type declining struct{ schema.Code }

func (declining) Error() string                                         { return "no" }
func (r declining) Refused() schema.Code                                { return r.Code }
func (r declining) Allow(schema.Job, queue.Message) (signer.Ref, error) { return signer.Ref{}, r }

// TestRefusalHasACode answers with the code that the policy gives.
func TestRefusalHasACode(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		r.config.Policy = declining{schema.CodeReplyNotAllowed}
		r.start()
		r.submit(job("j", 1))
		if result, _ := r.reply(); result.Items[0].Error.Code != schema.CodeReplyNotAllowed {
			t.Errorf("got %+v", result.Items[0].Error)
		}
	})
}
