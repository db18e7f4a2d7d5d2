package worker_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/signer/localvault"
)

// TestGivenBackForAsLongAsTheVaultAsks throttles a job, with a hint that is
// longer than JobTimeout. The job goes back, and comes again after the hint.
func TestGivenBackForAsLongAsTheVaultAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, h := newRig(t), newHistory()
		s := r.pace(1000)
		r.config.JobTimeout, r.config.Jobs = 10*time.Second, recorded{r.config.Jobs, h}
		r.start()
		r.stillWorks()
		r.vault.SetFaults(localvault.Faults{Throttle: 1, RetryAfter: 20 * time.Second})
		began, before := time.Now(), s.count()
		r.submit(job("j", 10))
		result, _ := r.reply()
		r.verify(job("j", 10), result)
		if took := time.Since(began); took < 20*time.Second || took > 25*time.Second {
			t.Errorf("took %v, want a little more than what the vault asked for", took)
		}
		if n := h.deliveries["j"]; n != 2 {
			t.Errorf("delivered %d times, want twice", n)
		}
		if calls := s.count() - before; calls > 20 {
			t.Errorf("%d calls for two attempts at 10 items", calls)
		}
	})
}

// TestWaitingCostsNoAttempts holds more jobs than the quota lets it do within
// JobTimeout, ten times as many: those whose turn would come too late go back,
// and come again when it may come in time. None loses all of its attempts.
func TestWaitingCostsNoAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, h := newRig(t), newHistory()
		const jobs = 200
		s := r.pace(100)
		r.config.JobTimeout, r.config.Jobs = 2*time.Second, recorded{r.config.Jobs, h}
		for i := range jobs {
			r.submit(job(fmt.Sprint(i), 1))
		}
		r.start()
		for range jobs {
			result, _ := r.reply()
			r.verify(job(result.ID, 1), result)
		}
		sum, most := 0, 0
		for _, n := range h.deliveries {
			sum, most = sum+n, max(most, n)
		}
		t.Logf("%d jobs were delivered %d times, one of them %d times, with %d calls", jobs, sum, most, s.count())
		if sum > 2*jobs {
			t.Errorf("%d jobs were delivered %d times, want twice at most", jobs, sum)
		}
		r.empty(servicebus.DeadLetters("jobs"))
	})
}
