package worker_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// broken has a defect: its first Sign panics.
type broken struct {
	signer.Keys
	calls *atomic.Int32
}

func (b broken) Sign(ctx context.Context, key signer.Key, a schema.Algorithm, digest []byte) ([]byte, error) {
	if b.calls.Add(1) == 1 {
		panic("nil map")
	}
	return b.Keys.Sign(ctx, key, a, digest)
}

// TestPanicOfAnItemEndsTheItemOnly lets one item of three meet a defect.
func TestPanicOfAnItemEndsTheItemOnly(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		log := r.journal()
		r.config.Keys = broken{r.config.Keys, new(atomic.Int32)}
		r.config.Concurrency = 1
		r.start()
		r.submit(job("j", 3))
		result, _ := r.reply()
		e := result.Items[0].Error
		if result.Status != schema.Partial || e == nil || e.Code != schema.CodeInternal || e.Retryable {
			t.Errorf("status %q, first item's error %+v, want partial with a final %s", result.Status, e, schema.CodeInternal)
		}
		r.stillWorks()
		log.tells(t, "nil map", "panic_test.go")
	})
}

// tells checks that the journal's first event has some texts.
func (j *journal) tells(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if first := j.lines()[0]; !strings.Contains(first, text) {
			t.Errorf("event %q does not tell of %q", first, text)
		}
	}
}

// panicking has a defect in Resolve.
type panicking struct{ signer.Keys }

func (panicking) Resolve(context.Context, signer.Ref) (signer.Key, error) { panic("nil map") }

// TestPanicOfAJobIsAFailedAttempt ends in a dead letter and not in the end of
// the worker.
func TestPanicOfAJobIsAFailedAttempt(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		log := r.journal()
		r.config.Keys = panicking{r.config.Keys}
		r.start()
		r.submit(job("j", 1))
		dead := r.take(r.receiver(servicebus.DeadLetters("jobs")))
		if got := dead.Properties["DeadLetterReason"]; got != string(schema.CodeAttemptsExhausted) {
			t.Errorf("dead letter has reason %q, want %q", got, schema.CodeAttemptsExhausted)
		}
		log.tells(t, "nil map", "panic_test.go")
	})
}
