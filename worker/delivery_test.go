package worker_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/localvault"
)

// virtual runs a test in virtual time with a rig.
func virtual(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newRig(t)) })
}

// slow holds each signature back until it is let go, or its
// context ends.
type slow struct {
	signer.Keys
	started chan struct{} // gets one value for each call
	letGo   chan struct{} // closed when calls may go on
}

func (s slow) Sign(ctx context.Context, key signer.Key, a schema.Algorithm, digest []byte) ([]byte, error) {
	s.started <- struct{}{}
	select {
	case <-s.letGo:
		return s.Keys.Sign(ctx, key, a, digest)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// slowDown makes the rig's signer slow.
func (r *rig) slowDown() slow {
	s := slow{Keys: r.config.Keys, started: make(chan struct{}, 100), letGo: make(chan struct{})}
	r.config.Keys = s
	return s
}

func TestLockIsRenewedWhileTheVaultIsSlow(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		s := r.slowDown()
		r.start()
		r.submit(job("j", 1))
		<-s.started
		time.AfterFunc(4*time.Minute, func() { close(s.letGo) }) // eight times the lock
		result, _ := r.reply()
		r.verify(job("j", 1), result)
		if got := len(s.started); got != 0 {
			t.Errorf("the job was signed %d times more", got)
		}
	})
}

func TestPassingFailureIsRetriedUnderTheLock(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		r.vault.SetFaults(localvault.Faults{Throttle: 2, Fail: 1, DropAnswer: 1})
		r.start()
		r.submit(job("j", 3))
		result, _ := r.reply()
		r.verify(job("j", 3), result)
		r.empty(servicebus.DeadLetters("jobs"))
	})
}

func TestJobIsGivenBackAndComesAgain(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		r.config.Jobs, r.jobs = r.receiver("elsewhere"), r.sender("elsewhere") // more deliveries than fit into the outage
		r.config.MaxDeliveries, r.config.JobTimeout = 10, 5*time.Second
		r.vault.SetFaults(localvault.Faults{Fail: 1000})
		r.start()
		r.submit(job("j", 1))
		time.AfterFunc(7*time.Second, func() { r.vault.SetFaults(localvault.Faults{}) })
		result, _ := r.reply()
		r.verify(job("j", 1), result)
		r.empty(servicebus.DeadLetters("elsewhere"))
	})
}

func TestAttemptsUsedUp(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		r.config.JobTimeout = 5 * time.Second
		r.vault.SetFaults(localvault.Faults{Fail: 100000})
		r.start()
		r.submit(job("j", 2))
		dead := r.take(r.receiver(servicebus.DeadLetters("jobs")))
		if got := dead.Properties["DeadLetterReason"]; got != string(schema.CodeAttemptsExhausted) {
			t.Errorf("dead letter has reason %q", got)
		}
		if got, _ := dead.Properties["DeadLetterErrorDescription"].(string); !strings.HasPrefix(got, "after 3 attempts: ") || strings.Contains(got, "503") {
			t.Errorf("dead letter has description %q, want the attempts and no word of the vault", got)
		}
		result, d := r.reply()
		if result.Status != schema.Failed || len(result.Items) != 2 || !result.Items[1].Error.Retryable || d.ID != schema.ExhaustedID("j", 1) {
			t.Errorf("notice %+v under id %q", result, d.ID)
		}
		// A replay of the dead letter may still succeed and be seen.
		r.vault.SetFaults(localvault.Faults{})
		r.send(dead.Message)
		again, d := r.reply()
		if r.verify(job("j", 2), again); d.ID != schema.ReplyID("j") {
			t.Errorf("reply to the replay has id %q", d.ID)
		}
	})
}

func TestResultIsThrownAwayWhenTheLockIsLost(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		s, log := r.slowDown(), r.journal()
		r.start()
		r.submit(job("j", 1))
		<-s.started
		if n := r.bus.LoseLocks("jobs"); n != 1 {
			t.Fatalf("%d locks lost, want 1", n)
		}
		<-s.started                    // the same job, delivered again
		<-time.After(15 * time.Second) // the first delivery is renewed meanwhile
		close(s.letGo)
		result, _ := r.reply()
		r.verify(job("j", 1), result)
		r.empty("replies")
		r.empty("jobs")
		lines := log.lines()
		if len(lines) != 2 || !strings.Contains(lines[0], "lock lost") || !strings.Contains(lines[1], "job answered") {
			t.Errorf("got the events %q, want a lost lock and an answer", lines)
		}
	})
}

func TestDrainFinishesWhatIsHeld(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		s := r.slowDown()
		drain := r.start()
		for _, id := range []string{"a", "b", "c"} {
			r.submit(job(id, 2))
		}
		for range 6 {
			<-s.started
		}
		time.AfterFunc(10*time.Second, func() { close(s.letGo) })
		drain()
		for range 3 {
			result, _ := r.reply()
			r.verify(job(result.ID, 2), result)
		}
		r.empty("jobs")
	})
}

func TestDrainGivesBackWhatItCannotFinish(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		s, log := r.slowDown(), r.journal()
		drain := r.start()
		r.submit(job("j", 1))
		<-s.started
		began := time.Now()
		drain()
		if first := log.lines()[0]; !strings.Contains(first, "draining") || !strings.Contains(first, "jobs=1") {
			t.Errorf("first event is %q, want the drain of one job", first)
		}
		if took := time.Since(began); took < 25*time.Second || took > 26*time.Second {
			t.Errorf("drain took %v, want the drain timeout of 25s", took)
		}
		back := r.take(r.receiver("jobs"))
		if back.ID != "j" || back.Count != 2 {
			t.Errorf("job %q is back with count %d, want j at once with count 2", back.ID, back.Count)
		}
		r.empty("replies")
	})
}

func TestConnectionLossLosesNothing(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		s := r.slowDown()
		r.start()
		for _, id := range []string{"a", "b", "c"} {
			r.submit(job(id, 1))
		}
		for range 3 {
			<-s.started
		}
		r.bus.DropConnections()
		close(s.letGo)
		seen := map[string]bool{}
		for range 3 {
			result, _ := r.reply()
			r.verify(job(result.ID, 1), result)
			seen[result.ID] = true
		}
		if len(seen) != 3 {
			t.Errorf("replies for %v, want three jobs", seen)
		}
		r.empty("jobs")
		r.empty("replies")
	})
}

// TestTurnsAreFair puts a job of one behind a job of many: it must not wait
// for more than a few turns.
func TestTurnsAreFair(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		turns := &inTurn{Keys: r.config.Keys}
		r.config.Keys, r.config.Concurrency = turns, 2
		r.start()
		r.submit(job("many", 500))
		<-time.After(10 * time.Second) // in virtual time
		r.submit(job("one", 1))
		result, _ := r.reply()
		if result.ID != "one" {
			t.Fatalf("first reply is to %q, want the job of one", result.ID)
		}
		if n := turns.count(); n > 40 {
			t.Errorf("the job of one was answered after %d signatures", n)
		}
		many, _ := r.reply()
		r.verify(job("many", 500), many)
	})
}

// inTurn takes a second for each signature and counts.
type inTurn struct {
	signer.Keys
	mu   sync.Mutex // guards done
	done int
}

func (s *inTurn) Sign(ctx context.Context, key signer.Key, a schema.Algorithm, digest []byte) ([]byte, error) {
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	s.done++
	s.mu.Unlock()
	return s.Keys.Sign(ctx, key, a, digest)
}

func (s *inTurn) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}
