package worker_test

import (
	"testing"

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
