package worker_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/localvault"
)

// outlast is more failures than the vault's client bears for one signature.
const outlast = 8

// failFirst has the vault fail the first item of the next job for as long as
// its client tries.
func (r *rig) failFirst(deliveries int) {
	r.t.Helper()
	r.config.Concurrency, r.config.MaxDeliveries = 1, deliveries
	r.start()
	r.stillWorks() // and the key is known
	r.vault.SetFaults(localvault.Faults{Fail: outlast})
}

// TestNoTurnsForAJobThatIsGivenBack fails the first of ten items: the other
// nine are signed once, when the job comes again, and not before.
func TestNoTurnsForAJobThatIsGivenBack(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		r.failFirst(2)
		r.submit(job("j", 10))
		result, _ := r.reply()
		r.verify(job("j", 10), result)
		if got := r.vault.Stats().Operations["sign"]; got != 11 {
			t.Errorf("the vault signed %d times, want once for each of 11 items", got)
		}
	})
}

// TestLastAttemptIsThorough fails the first of ten items on the last attempt:
// the notice brings the signatures of the other nine.
func TestLastAttemptIsThorough(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		r.failFirst(1)
		r.submit(job("j", 10))
		result, d := r.reply()
		if e := result.Items[0].Error; e == nil || !e.Retryable || d.ID == schema.ReplyID("j") {
			t.Errorf("first item of the notice %q has the error %+v, want a passing one", d.ID, e)
		}
		result.Items = result.Items[1:]
		result.Status = schema.StatusOf(result.Items)
		rest := job("j", 10)
		rest.Items = rest.Items[1:]
		r.verify(rest, result)
	})
}

// TestGivenBackAfterAPause fails each attempt at once: the attempts do not
// follow each other at once. The pauses are drawn, and they may be short; the
// chance that nine of them take less than five seconds is one in 10^8.
func TestGivenBackAfterAPause(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		r.config.Jobs, r.jobs = r.receiver("elsewhere"), r.sender("elsewhere")
		r.config.MaxDeliveries, r.config.JobTimeout = 10, time.Millisecond
		r.vault.SetFaults(localvault.Faults{Fail: 10000})
		r.start()
		began := time.Now()
		r.submit(job("j", 1))
		r.take(r.receiver(servicebus.DeadLetters("elsewhere")))
		if took := time.Since(began); took < 5*time.Second {
			t.Errorf("ten attempts took %v, want pauses between them", took)
		}
	})
}

// asked is a receiver that notes how many messages it was asked for.
type asked struct {
	queue.Receiver
	limits chan int
}

func (a asked) Receive(ctx context.Context, limit int) ([]*queue.Delivery, error) {
	a.limits <- limit
	return a.Receiver.Receive(ctx, limit)
}

// TestPlacesAndTurns gives three places and two turns to five jobs of four
// items. Jobs without a place stay with the broker, and all are done in the end.
func TestPlacesAndTurns(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		limits, s := make(chan int, 100), r.slowDown()
		r.config.Jobs = asked{r.config.Jobs, limits}
		r.config.JobsHeld, r.config.Concurrency = 3, 2
		for i := range 5 {
			r.submit(job(fmt.Sprint(i), 4))
		}
		drain := r.start()
		<-time.After(10 * time.Second)
		if got := <-limits; got != 3 {
			t.Errorf("the queue was asked for %d messages at first, want 3", got)
		}
		if got := len(s.started); got != 2 {
			t.Errorf("%d items are with the signer, want 2", got)
		}
		if n := r.bus.LoseLocks("jobs"); n != 3 {
			t.Errorf("%d jobs are held, want 3", n)
		}
		close(s.letGo)
		for range 5 {
			result, _ := r.reply()
			r.verify(job(result.ID, 4), result)
		}
		drain()
		close(limits)
		for got := range limits {
			if got > 3 {
				t.Errorf("the queue was asked for %d messages, want 3 at most", got)
			}
		}
	})
}
