package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/worker"
)

// skewed is a broker's clock that differs from ours.
type skewed struct{ by time.Duration }

func (s skewed) Now() time.Time                                   { return time.Now().Add(s.by) }
func (skewed) AfterFunc(d time.Duration, f func()) localbus.Timer { return time.AfterFunc(d, f) }

// TestLockIsKeptAcrossClocks signs for longer than a lock lasts, with clocks
// that are two minutes apart.
func TestLockIsKeptAcrossClocks(t *testing.T) {
	for name, by := range map[string]time.Duration{"broker ahead": 2 * time.Minute, "broker behind": -2 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRigOn(t, localbus.Config{Clock: skewed{by}})
				s := r.slowDown()
				r.start()
				r.submit(job("j", 1))
				<-s.started
				time.AfterFunc(4*time.Minute, func() { close(s.letGo) })
				result, _ := r.reply()
				r.verify(job("j", 1), result)
				if again := len(s.started); again != 0 {
					t.Errorf("the job was signed %d times more", again)
				}
			})
		})
	}
}

// refusing is a receiver whose queue refuses us until a time.
type refusing struct {
	queue.Receiver
	until time.Time
}

func (r refusing) Receive(ctx context.Context, limit int) ([]*queue.Delivery, error) {
	if time.Now().Before(r.until) {
		<-time.After(5 * time.Second)
		return nil, &queue.Error{Op: "receive", Queue: "jobs", Kind: queue.ErrUnauthorized, Err: context.DeadlineExceeded}
	}
	return r.Receiver.Receive(ctx, limit)
}

// TestRefusalOfTheQueueMayPass lets the rights on the job queue come back.
func TestRefusalOfTheQueueMayPass(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		r.config.Jobs = refusing{r.config.Jobs, time.Now().Add(2 * time.Minute)}
		r.start()
		r.stillWorks()
	})
}

// TestRefusalOfTheQueueEndsRun refuses the worker for longer than it bears.
func TestRefusalOfTheQueueEndsRun(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		log := r.journal()
		r.config.Jobs = refusing{r.config.Jobs, time.Now().Add(time.Hour)}
		w, err := worker.New(r.config)
		r.must(err)
		began := time.Now()
		if err := w.Run(t.Context()); !errors.Is(err, queue.ErrUnauthorized) {
			t.Errorf("Run returns %v, want the refusal", err)
		}
		if took := time.Since(began); took < 5*time.Minute || took > 6*time.Minute {
			t.Errorf("Run took %v, want about five minutes", took)
		}
		if first := log.lines()[0]; !strings.Contains(first, "refuses the worker") {
			t.Errorf("first event is %q, want the refusal", first)
		}
	})
}
