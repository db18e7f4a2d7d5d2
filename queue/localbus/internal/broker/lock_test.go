package broker_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

func TestTakeInOrderAndComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		if got, want := b.send("a", "b", "c"), []int64{1, 2, 3}; !slices.Equal(got, want) {
			t.Errorf("numbers %v, want %v", got, want)
		}
		got := b.take(b.queue, "a", "b", "c")
		now := time.Now()
		for i, d := range got {
			if d.SequenceNumber != int64(i+1) || d.DeliveryCount != 0 || d.State != broker.StateActive {
				t.Errorf("delivery %d: number %d, count %d, state %d", i, d.SequenceNumber, d.DeliveryCount, d.State)
			}
			if !d.EnqueuedAt.Equal(now) || !d.LockedUntil.Equal(now.Add(time.Minute)) || !d.ExpiresAt.IsZero() {
				t.Errorf("delivery %d: enqueued %v, locked until %v, expires %v", i, d.EnqueuedAt, d.LockedUntil, d.ExpiresAt)
			}
		}
		b.counts(broker.Counts{Active: 3, Total: 3})
		b.settle(b.queue, complete, got...)
		b.counts(broker.Counts{})
		b.wantKind(b.queue.Settle(complete, got[0].LockToken), broker.LockLost)
	})
}

func TestReceiveAndDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		b.send("a")
		got := b.takeFrom(b.consume(b.queue, broker.ReceiveAndDelete), "a")
		if got[0].LockToken != (broker.Token{}) || !got[0].LockedUntil.IsZero() {
			t.Errorf("has a lock: %x until %v", got[0].LockToken, got[0].LockedUntil)
		}
		b.counts(broker.Counts{})
	})
}

func TestAbandonReturnsToItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		b.send("a", "b", "c")
		got := b.take(b.queue, "a", "b", "c")
		b.settle(b.queue, abandon, got[1], got[0])
		b.send("d")
		again := b.take(b.queue, "a", "b", "d")
		if n := again[0].DeliveryCount; n != 1 {
			t.Errorf("delivery count %d, want 1", n)
		}
	})
}

func TestReleaseKeepsTheCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		b.send("a")
		b.settle(b.queue, release, b.take(b.queue, "a")...)
		if n := b.take(b.queue, "a")[0].DeliveryCount; n != 0 {
			t.Errorf("delivery count %d, want 0", n)
		}
	})
}

func TestLockExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{LockDuration: 10 * time.Second})
		b.send("a")
		c := b.consume(b.queue, broker.PeekLock)
		got := b.takeFrom(c, "a")
		c.Close()
		pass(10*time.Second - 1)
		b.take(b.queue)
		pass(1)
		b.wantKind(b.queue.Settle(complete, got[0].LockToken), broker.LockLost)
		if n := b.take(b.queue, "a")[0].DeliveryCount; n != 1 {
			t.Errorf("delivery count %d, want 1", n)
		}
	})
}

func TestRenewExtendsTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{LockDuration: 10 * time.Second})
		b.send("a", "b")
		got := b.take(b.queue, "a", "b")
		pass(9 * time.Second)
		ends, err := b.queue.Renew(got[0].LockToken)
		if err != nil {
			t.Fatal(err)
		}
		if want := time.Now().Add(10 * time.Second); !ends[0].Equal(want) {
			t.Errorf("locked until %v, want %v", ends[0], want)
		}
		pass(9 * time.Second)
		b.take(b.queue, "b")
		b.settle(b.queue, complete, got[0])
		_, err = b.queue.Renew(got[0].LockToken)
		b.wantKind(err, broker.LockLost)
	})
}

func TestMaxDeliveryCount(t *testing.T) {
	for name, fail := range map[string]func(*bus, broker.Delivery){
		"abandon":   func(b *bus, d broker.Delivery) { b.settle(b.queue, abandon, d) },
		"expiry":    func(b *bus, d broker.Delivery) { pass(time.Minute) },
		"lost lock": func(b *bus, d broker.Delivery) { b.queue.LoseLock(d.LockToken) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBus(t, broker.Properties{MaxDeliveryCount: 3})
				b.send("a")
				for range 3 {
					fail(b, b.take(b.queue, "a")[0])
				}
				b.take(b.queue)
				b.counts(broker.Counts{DeadLetter: 1, Total: 1})
				d := b.take(b.dead, "a")[0]
				if got, want := overlay(d, "DeadLetterReason"), "MaxDeliveryCountExceeded"; got != want {
					t.Errorf("reason %q, want %q", got, want)
				}
				if got, want := overlay(d, "DeadLetterErrorDescription"), "Message could not be consumed after 3 delivery attempts."; got != want {
					t.Errorf("description %q, want %q", got, want)
				}
				if d.DeadLetterSource != "jobs" || d.SequenceNumber != 1 || d.DeliveryCount != 3 {
					t.Errorf("source %q, number %d, count %d", d.DeadLetterSource, d.SequenceNumber, d.DeliveryCount)
				}
			})
		})
	}
}

func TestDeadLetterFreezesTheCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{MaxDeliveryCount: 2})
		b.send("a")
		b.settle(b.queue, abandon, b.take(b.queue, "a")...)
		b.settle(b.queue, broker.Settlement{
			Outcome: broker.DeadLetter, Reason: "why", Description: "because",
			Modify: []broker.Property{{Key: "hello", Value: "world"}},
		}, b.take(b.queue, "a")...)
		for i := range 4 {
			d := b.take(b.dead, "a")[0]
			got := fmt.Sprintf("%v %v %v", overlay(d, "DeadLetterReason"), overlay(d, "DeadLetterErrorDescription"), overlay(d, "hello"))
			if d.DeliveryCount != 1 || got != "why because world" {
				t.Errorf("round %d: count %d, overlay %v", i, d.DeliveryCount, d.Overlay)
			}
			b.settle(b.dead, abandon, d)
		}
		b.settle(b.dead, broker.Settlement{Outcome: broker.DeadLetter, Reason: "again"}, b.take(b.dead, "a")...)
		if got := overlay(b.take(b.dead, "a")[0], "DeadLetterReason"); got != "again" {
			t.Errorf("reason %q, want %q", got, "again")
		}
		pass(time.Minute)
		b.settle(b.dead, complete, b.take(b.dead, "a")...)
		b.counts(broker.Counts{})
	})
}
