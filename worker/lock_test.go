package worker_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
)

// flaky is a receiver whose deliveries fail to be renewed or settled a few
// times, as they do when a connection comes and goes.
type flaky struct {
	queue.Receiver
	renewals, settlements atomic.Int32  // that fail
	renewing              atomic.Int32  // renewals under way
	linger                time.Duration // how long a renewal lasts, whatever its context does
}

var errPassing = errors.New("connection lost")

func (f *flaky) Receive(ctx context.Context, limit int) ([]*queue.Delivery, error) {
	got, err := f.Receiver.Receive(ctx, limit)
	for i, d := range got {
		got[i] = queue.NewDelivery(d.Message, d.Receipt, flakyLock{f, d})
	}
	return got, err
}

// flakyLock is the lock of one such delivery.
type flakyLock struct {
	of *flaky
	d  *queue.Delivery
}

func (l flakyLock) Renew(ctx context.Context) (time.Time, error) {
	l.of.renewing.Add(1)
	defer l.of.renewing.Add(-1)
	<-time.After(l.of.linger)
	if l.of.renewals.Add(-1) >= 0 {
		return time.Time{}, errPassing
	}
	return l.d.Renew(ctx)
}

func (l flakyLock) Settle(ctx context.Context, s queue.Settlement) error {
	switch {
	case l.of.settlements.Add(-1) >= 0:
		return errPassing
	case s.Outcome == queue.Complete:
		return l.d.Complete(ctx)
	case s.Outcome == queue.DeadLetter:
		return l.d.DeadLetter(ctx, s.Reason, s.Description)
	default:
		return l.d.Abandon(ctx)
	}
}

// TestRenewalIsTriedAgain fails two renewals of a job that is signed for longer
// than its lock lasts.
func TestRenewalIsTriedAgain(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		f, s := &flaky{Receiver: r.config.Jobs}, r.slowDown()
		f.renewals.Store(2)
		r.config.Jobs = f
		r.start()
		r.submit(job("j", 1))
		<-s.started
		time.AfterFunc(2*time.Minute, func() { close(s.letGo) })
		result, _ := r.reply()
		if r.verify(job("j", 1), result); len(s.started) != 0 {
			t.Errorf("the job was signed %d times more", len(s.started))
		}
	})
}

// TestJobThatIsNotSettledComesAgain fails one settlement: the lock is let go
// of, the job comes again, costs nothing more, and its result is seen once.
func TestJobThatIsNotSettledComesAgain(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		f, log := &flaky{Receiver: r.config.Jobs}, r.journal()
		f.settlements.Store(1)
		r.config.Jobs = f
		r.start()
		r.submit(job("j", 1))
		<-time.After(2 * time.Minute)
		result, _ := r.reply()
		r.verify(job("j", 1), result)
		r.empty("replies")
		r.empty("jobs")
		lines := log.lines()
		if len(lines) != 2 || !strings.Contains(lines[0], "not settled") || !strings.Contains(lines[1], "done before") {
			t.Errorf("got the events %q, want a failed settlement and another", lines)
		}
		if stats := r.vault.Stats(); stats.Operations["sign"] != 1 {
			t.Errorf("the vault signed %d times, want once", stats.Operations["sign"])
		}
	})
}

// TestRunWaitsForRenewals drains while a renewal is under way that does not
// heed its context.
func TestRunWaitsForRenewals(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		f, s := &flaky{Receiver: r.config.Jobs, linger: 5 * time.Second}, r.slowDown()
		r.config.Jobs = f
		drain := r.start()
		r.submit(job("j", 1))
		<-s.started
		<-time.After(11 * time.Second) // the first renewal is under way
		close(s.letGo)
		drain()
		if n := f.renewing.Load(); n != 0 {
			t.Errorf("%d renewals outlive the worker", n)
		}
	})
}
