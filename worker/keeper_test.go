package worker_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
)

// renewals counts what a receiver's deliveries are renewed.
type renewals struct {
	queue.Receiver
	linger    time.Duration // how long each lasts
	all       atomic.Int32
	now, most atomic.Int32 // at once
}

func (c *renewals) Receive(ctx context.Context, limit int) ([]*queue.Delivery, error) {
	got, err := c.Receiver.Receive(ctx, limit)
	for i, d := range got {
		got[i] = queue.NewDelivery(d.Message, d.Receipt, countedLock{flakyLock{&flaky{linger: c.linger}, d}, c})
	}
	return got, err
}

// countedLock is the lock of one such delivery.
type countedLock struct {
	flakyLock
	of *renewals
}

func (l countedLock) Renew(ctx context.Context) (time.Time, error) {
	l.of.all.Add(1)
	now := l.of.now.Add(1)
	defer l.of.now.Add(-1)
	for most := l.of.most.Load(); now > most && !l.of.most.CompareAndSwap(most, now); most = l.of.most.Load() {
	}
	return l.flakyLock.Renew(ctx)
}

// renewed gives the worker a job queue whose locks last that long, with a
// broker whose clock is off by so much.
func renewed(t *testing.T, lock, by time.Duration) (*rig, *renewals) {
	r := newRigOn(t, localbus.Config{Clock: skewed{by}, Queues: []localbus.Queue{
		{Name: "work", QueueProperties: localbus.QueueProperties{LockDuration: lock}},
	}})
	c := &renewals{Receiver: r.receiver("work")}
	r.config.Jobs, r.jobs = c, r.sender("work")
	return r, c
}

// TestLocksAreRenewedAtAThird holds a job for ten minutes: its lock is renewed
// as often as three times in each of its spans, with a little to spare. Where
// the clocks differ, a lock of more than 30 s is renewed as if it had 30 s, and
// one that seems to be over as if it had the least that a broker allows.
func TestLocksAreRenewedAtAThird(t *testing.T) {
	const held = 598 * time.Second
	for _, lock := range []time.Duration{5 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute} {
		for _, by := range []time.Duration{0, time.Minute, -time.Minute} {
			t.Run(fmt.Sprintf("lock %v, clock off by %v", lock, by), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r, c := renewed(t, lock, by)
					s := r.slowDown()
					r.config.JobTimeout = time.Hour
					r.start()
					r.submit(job("j", 1))
					<-s.started
					<-time.After(held)
					if lost := len(s.started); lost != 0 {
						t.Errorf("the lock was lost: the job was begun %d times more", lost)
					}
					counted := lock
					if by != 0 {
						counted = min(lock, 30*time.Second)
					}
					if lock+by < 5*time.Second {
						counted = 5 * time.Second
					}
					least, most := int32(3*held/counted), int32(3*held/counted*8/7+1)
					if n := c.all.Load(); n < least || n > most {
						t.Errorf("renewed %d times, want %d to %d", n, least, most)
					}
					close(s.letGo)
					result, _ := r.reply()
					r.verify(job("j", 1), result)
				})
			})
		}
	}
}

// TestRenewalsAreFewAtOnce holds many jobs with a broker that takes its time to
// renew: no lock is lost, and the broker is not asked for all at once.
func TestRenewalsAreFewAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const jobs = 200
		r, c := renewed(t, 30*time.Second, 0)
		c.linger = 500 * time.Millisecond
		s := r.slowDown()
		s.started = make(chan struct{}, 10*jobs)
		r.config.Keys, r.config.JobsHeld, r.config.Concurrency = s, jobs, jobs
		r.start()
		for i := range jobs {
			r.submit(job(fmt.Sprint(i), 1))
		}
		for range jobs {
			<-s.started
		}
		<-time.After(4 * time.Minute)
		if lost := len(s.started); lost != 0 {
			t.Errorf("%d locks were lost", lost)
		}
		if most := c.most.Load(); most != 16 {
			t.Errorf("%d renewals at once, want 16", most)
		}
		close(s.letGo)
		for range jobs {
			r.reply()
		}
		r.empty("work")
	})
}

// TestLocksAreKeptDuringTheDrain drains for four times as long as a lock lasts.
func TestLocksAreKeptDuringTheDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := renewed(t, 5*time.Second, 0)
		s := r.slowDown()
		drain := r.start()
		r.submit(job("j", 1))
		<-s.started
		time.AfterFunc(20*time.Second, func() { close(s.letGo) })
		drain()
		result, _ := r.reply()
		r.verify(job("j", 1), result)
		r.empty("work")
		if signed := r.vault.Stats().Operations["sign"]; signed != 1 {
			t.Errorf("signed %d times, want once", signed)
		}
	})
}
