package broker_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

// shiftedClock runs a year ahead of the wall clock and counts its timers. It
// is used by one goroutine and the timers that it waits for.
type shiftedClock struct {
	pending int // timers that were set and neither fired nor were stopped
	set     int // timers that were set
}

const shift = 365 * 24 * time.Hour

func (c *shiftedClock) Now() time.Time { return time.Now().Add(shift) }

func (c *shiftedClock) AfterFunc(d time.Duration, f func()) broker.Timer {
	c.pending++
	c.set++
	return &shiftedTimer{c, time.AfterFunc(d, func() { c.pending--; f() })}
}

type shiftedTimer struct {
	clock *shiftedClock
	*time.Timer
}

func (t *shiftedTimer) Stop() bool {
	stopped := t.Timer.Stop()
	if stopped {
		t.clock.pending--
	}
	return stopped
}

func TestOneTimerPerQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := &shiftedClock{}
		b := &bus{T: t, Broker: broker.New(broker.Config{Clock: clock})}
		b.create("jobs", broker.Properties{LockDuration: 10 * time.Second})
		b.queue = b.open("jobs")
		b.send("a", "b", "c")
		got := b.take(b.queue, "a", "b", "c")
		if want := time.Now().Add(shift + 10*time.Second); !got[0].LockedUntil.Equal(want) {
			t.Errorf("locked until %v, want %v by the given clock", got[0].LockedUntil, want)
		}
		for range 5 {
			pass(5 * time.Second)
			if _, err := b.queue.Renew(got[0].LockToken, got[1].LockToken, got[2].LockToken); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if clock.pending != 1 || clock.set > 6 {
			t.Errorf("%d timers pending of %d set, want 1 of at most 6 for 18 deadlines", clock.pending, clock.set)
		}
		b.sendMessages(broker.Message{ScheduledAt: clock.Now().Add(time.Second)})
		if clock.pending != 1 {
			t.Errorf("%d timers pending, want 1", clock.pending)
		}
		b.Close()
		if clock.pending != 0 {
			t.Errorf("%d timers pending after close, want none", clock.pending)
		}
	})
}
