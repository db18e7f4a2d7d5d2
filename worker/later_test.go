package worker_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/localvault"
	"github.com/signmill/signmill/worker"
)

// later lets the worker put jobs off, on a job queue that detects duplicates
// and delivers once only.
func later(t *testing.T, test func(t *testing.T, r *rig, h *history)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r, h := newRigOn(t, localbus.Config{Queues: []localbus.Queue{{Name: "once", QueueProperties: localbus.QueueProperties{
			LockDuration: 30 * time.Second, MaxDeliveryCount: 1, RequiresDuplicateDetect: true, DuplicateDetectionWindow: 24 * time.Hour,
		}}}}), newHistory()
		r.config.Jobs, r.jobs = recorded{r.receiver("once"), h}, r.sender("once")
		r.config.Later = r.sender("once")
		r.config.JobTimeout = 5 * time.Second
		test(t, r, h)
		r.empty("replies")
		r.empty("once")
		for id, copies := range h.copies {
			if h.deliveries[id] != len(copies) {
				t.Errorf("%q with %d copies was delivered %d times", id, len(copies), h.deliveries[id])
			}
		}
	})
}

// TestOutageIsWaitedOut puts a job off for as long as the vault asks for. Its
// reply has the original's correlation, and comes from a copy that was
// delivered for the first time.
func TestOutageIsWaitedOut(t *testing.T) {
	later(t, func(t *testing.T, r *rig, h *history) {
		r.vault.SetFaults(localvault.Faults{Fail: 1e6, RetryAfter: 20 * time.Second})
		r.start()
		r.submit(job("j", 2))
		time.AfterFunc(12*time.Second, func() { r.vault.SetFaults(localvault.Faults{}) })
		result, d := r.reply()
		r.verify(job("j", 2), result)
		if d.CorrelationID != "j" || d.ID != schema.ReplyID("j") {
			t.Errorf("reply has the id %q and the correlation %q", d.ID, d.CorrelationID)
		}
		if len(h.deliveries) != 2 {
			t.Errorf("deliveries %v, want one of the job and one of a copy", h.deliveries)
		}
		r.empty(servicebus.DeadLetters("once"))
	})
}

// failing is a signer whose call of a number fails in a way that passes.
type failing struct {
	signer.Keys
	number *atomic.Int32 // counts down
}

func (f failing) Sign(ctx context.Context, key signer.Key, a schema.Algorithm, digest []byte) ([]byte, error) {
	if f.number.Add(-1) == 0 {
		return nil, &signer.Error{Code: schema.CodeUnavailable, Message: "out of order"}
	}
	return f.Keys.Sign(ctx, key, a, digest)
}

// TestShortOutageIsWaitedOutInPlace fails the third of five items: the job is
// not delivered again, and what was signed is not signed again.
func TestShortOutageIsWaitedOutInPlace(t *testing.T) {
	later(t, func(t *testing.T, r *rig, h *history) {
		f := failing{r.config.Keys, &atomic.Int32{}}
		f.number.Store(3)
		r.config.Keys, r.config.Concurrency = f, 1
		r.start()
		r.submit(job("j", 5))
		result, _ := r.reply()
		r.verify(job("j", 5), result)
		if n := h.deliveries["j"]; n != 1 || len(h.deliveries) != 1 {
			t.Errorf("deliveries %v, want one", h.deliveries)
		}
		if signed := r.vault.Stats().Operations["sign"]; signed != 5 {
			t.Errorf("signed %d times, want once for each of 5 items", signed)
		}
	})
}

// TestAttemptsAreBoundedOverCopies never lets the vault answer.
func TestAttemptsAreBoundedOverCopies(t *testing.T) {
	later(t, func(t *testing.T, r *rig, _ *history) {
		r.vault.SetFaults(localvault.Faults{Fail: 1e6})
		r.start()
		r.submit(job("j", 1))
		dead := r.take(r.receiver(servicebus.DeadLetters("once")))
		if got, _ := dead.Properties["DeadLetterErrorDescription"].(string); !strings.HasPrefix(got, "after 3 attempts: ") {
			t.Errorf("dead letter has the description %q, want three attempts", got)
		}
		result, d := r.reply()
		if result.Status != schema.Failed || d.CorrelationID != "j" || d.ID == schema.ReplyID("j") {
			t.Errorf("notice %+v under id %q", result, d.ID)
		}
	})
}

// TestQuotaCostsNoAttempts throttles a job for longer than its attempts would
// last, with hints that are longer than what is waited under a lock.
func TestQuotaCostsNoAttempts(t *testing.T) {
	later(t, func(t *testing.T, r *rig, h *history) {
		r.vault.SetFaults(localvault.Faults{Throttle: 1e6, RetryAfter: 20 * time.Second})
		r.start()
		r.submit(job("j", 1))
		time.AfterFunc(8*time.Minute, func() { r.vault.SetFaults(localvault.Faults{}) })
		result, _ := r.reply()
		r.verify(job("j", 1), result)
		if n := len(h.deliveries); n < 10 {
			t.Errorf("%d copies, want many more than the three attempts", n)
		}
		r.empty(servicebus.DeadLetters("once"))
	})
}

// TestAgeIsBounded throttles a job for ever.
func TestAgeIsBounded(t *testing.T) {
	later(t, func(t *testing.T, r *rig, _ *history) {
		r.config.MaxAge = 10 * time.Minute
		r.vault.SetFaults(localvault.Faults{Throttle: 1e6, RetryAfter: 20 * time.Second})
		r.start()
		began := time.Now()
		r.submit(job("j", 1))
		dead := r.take(r.receiver(servicebus.DeadLetters("once")))
		if took := time.Since(began); took > r.config.MaxAge || took < r.config.MaxAge-time.Minute {
			t.Errorf("given up after %v, want it before MaxAge", took)
		}
		if got := dead.Properties["DeadLetterReason"]; got != string(schema.CodeAttemptsExhausted) {
			t.Errorf("dead letter has the reason %q", got)
		}
		r.reply()
	})
}

// TestSenderThatDoesNotWaitIsAnswered throttles a job past its notAfter.
func TestSenderThatDoesNotWaitIsAnswered(t *testing.T) {
	later(t, func(t *testing.T, r *rig, _ *history) {
		j := job("j", 1)
		j.NotAfter = time.Now().Add(15 * time.Second)
		r.vault.SetFaults(localvault.Faults{Throttle: 1e6, RetryAfter: 20 * time.Second})
		r.start()
		r.submit(j)
		result, d := r.reply()
		if e := result.Items[0].Error; e == nil || e.Code != schema.CodeExpired || e.Retryable || d.ID != schema.ReplyID("j") {
			t.Errorf("got %+v under the id %q, want it expired", result.Items[0], d.ID)
		}
		if now := time.Now(); !now.Before(j.NotAfter) {
			t.Error("answered only when the time was over")
		}
	})
}

// TestCopyKeepsWhatTheSenderSaid looks at a copy before it is due.
func TestCopyKeepsWhatTheSenderSaid(t *testing.T) {
	later(t, func(t *testing.T, r *rig, h *history) {
		r.vault.SetFaults(localvault.Faults{Throttle: 1e6, RetryAfter: 20 * time.Second})
		drain := r.start()
		r.send(queue.Message{
			ID: "m", CorrelationID: "c", ReplyTo: "replies", Subject: schema.JobVersion, Body: r.encode(job("j", 1)), TimeToLive: time.Hour,
			PartitionKey: "p", Properties: map[string]any{"traceparent": "00-1-2-01", worker.PropertyAttempts: int64(1)},
		})
		<-time.After(10 * time.Second)
		drain()
		r.vault.SetFaults(localvault.Faults{})
		d := r.take(r.receiver("once"))
		left := d.ExpiresAt.Sub(d.EnqueuedAt)
		if d.ID == "m" || d.CorrelationID != "c" || d.ReplyTo != "replies" || d.PartitionKey != "p" || d.Properties["traceparent"] != "00-1-2-01" ||
			d.Properties[worker.PropertyAttempts] != int64(1) || left >= time.Hour || left < 59*time.Minute {
			t.Errorf("copy %+v lives for %v", d.Message, left)
		}
	})
}

// TestCrashBetweenCopyAndCompletion leaves a job and its copy. Both are done,
// by a worker that knows nothing of the first, and one reply is seen.
func TestCrashBetweenCopyAndCompletion(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		h := newHistory()
		f := &flaky{Receiver: recorded{r.config.Jobs, h}}
		f.settlements.Store(1)
		r.config.Jobs, r.config.Later, r.config.JobTimeout = f, r.sender("jobs"), 5*time.Second
		r.vault.SetFaults(localvault.Faults{Throttle: 1e6, RetryAfter: 20 * time.Second})
		drain := r.start()
		r.submit(job("j", 1))
		<-time.After(10 * time.Second)
		drain()
		r.vault.SetFaults(localvault.Faults{})
		r.start()
		result, _ := r.reply()
		r.verify(job("j", 1), result)
		<-time.After(5 * time.Minute)
		if len(h.deliveries) != 2 || h.deliveries["j"] != 2 {
			t.Errorf("deliveries %v, want two of the job and one of its copy", h.deliveries)
		}
		if signed := r.vault.Stats().Operations["sign"]; signed != 2 {
			t.Errorf("signed %d times, want once for the job and once for its copy", signed)
		}
		r.empty("replies")
		r.empty("jobs")
	})
}

// TestDrainCostsNoDelivery ends a worker that cannot finish. What has not begun
// goes back at once, and the rest when the time is over.
func TestDrainCostsNoDelivery(t *testing.T) {
	later(t, func(t *testing.T, r *rig, h *history) {
		r.config.JobTimeout, r.config.MaxDeliveries, r.config.Concurrency = time.Hour, 1, 2
		s := r.slowDown()
		drain := r.start()
		for i := range 4 {
			r.submit(job(fmt.Sprint(i), 1))
		}
		<-s.started
		<-s.started
		<-time.After(time.Second)
		if n := len(h.deliveries); n != 4 {
			t.Fatalf("%d jobs are held, want 4", n)
		}
		began, drained := time.Now(), make(chan struct{})
		go func() { drain(); close(drained) }()
		other := r.receiver("once")
		for range 2 {
			if d := r.take(other); d.Count != 1 || time.Since(began) > time.Second {
				t.Errorf("%q is back with count %d after %v, want it at once", d.CorrelationID, d.Count, time.Since(began))
			}
		}
		r.must(other.Close(t.Context()))
		<-drained
		if took := time.Since(began); took < 25*time.Second || took > 26*time.Second {
			t.Errorf("drain took %v, want the drain timeout of 25s", took)
		}
		close(s.letGo)
		r.start()
		for range 2 {
			result, _ := r.reply()
			r.verify(job(result.ID, 1), result)
		}
		r.empty(servicebus.DeadLetters("once"))
	})
}
