package broker_test

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

func TestPeekShowsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		b.send("locked", "deferred", "gone")
		b.sendMessages(broker.Message{ID: "scheduled", ScheduledAt: time.Now().Add(time.Hour)})
		b.sendMessages(broker.Message{ID: "free", SessionID: "s", HasSession: true})
		c := b.consume(b.queue, broker.PeekLock)
		got, _ := c.Take(3)
		b.settle(b.queue, deferral, got[1])
		b.settle(b.queue, complete, got[2])
		for name, x := range map[string]struct {
			browse broker.Browse
			want   []string
		}{
			"all":        {broker.Browse{Limit: 10}, []string{"locked", "deferred", "scheduled", "free"}},
			"over a gap": {broker.Browse{From: 3, Limit: 1}, []string{"scheduled"}},
			"from there": {broker.Browse{From: 2, Limit: 2}, []string{"deferred", "scheduled"}},
			"session":    {broker.Browse{Limit: 10, SessionID: "s", HasSession: true}, []string{"free"}},
			"no session": {broker.Browse{Limit: 10, HasSession: true}, nil},
			"past":       {broker.Browse{From: 6, Limit: 10}, nil},
			"none":       {broker.Browse{}, nil},
			"lowest":     {broker.Browse{From: math.MinInt64, Limit: 1}, []string{"locked"}},
			"highest":    {broker.Browse{From: math.MaxInt64, Limit: 1}, nil},
		} {
			seen, err := b.queue.Peek(x.browse)
			if ids := idsOf(seen); err != nil || !slices.Equal(ids, x.want) {
				t.Errorf("%s: saw %q, want %q (%v)", name, ids, x.want, err)
			}
			for _, d := range seen {
				if d.LockToken != (broker.Token{}) {
					t.Errorf("%s: %s shows its lock", name, d.ID)
				}
			}
		}
		b.counts(broker.Counts{Active: 2, Deferred: 1, Scheduled: 1, Total: 4})
	})
}

func TestDeferred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{MaxDeliveryCount: 3})
		n := b.send("a", "b")
		b.settle(b.queue, deferral, b.take(b.queue, "a", "b")...)
		b.take(b.queue)
		_, err := b.queue.ReceiveDeferred(broker.PeekLock, n[0], 99)
		b.wantKind(err, broker.MessageNotFound)
		_, err = b.queue.ReceiveDeferred(broker.PeekLock, n[0], n[0])
		b.wantKind(err, broker.Invalid)
		got, err := b.queue.ReceiveDeferred(broker.PeekLock, n[1], n[0])
		if err != nil || !slices.Equal(idsOf(got), []string{"b", "a"}) || got[0].State != broker.StateDeferred {
			t.Fatalf("received %q in state %d, %v", idsOf(got), got[0].State, err)
		}
		_, err = b.queue.ReceiveDeferred(broker.PeekLock, n[0])
		b.wantKind(err, broker.MessageNotFound)

		hello := broker.Settlement{Outcome: broker.Abandon, Modify: []broker.Property{{Key: "hello", Value: "world"}}}
		b.settle(b.queue, hello, got[1])
		b.settle(b.queue, complete, got[0])
		pass(time.Hour)
		got, err = b.queue.ReceiveDeferred(broker.PeekLock, n[0])
		if err != nil || got[0].DeliveryCount != 1 || overlay(got[0], "hello") != "world" {
			t.Fatalf("received %+v, %v", got, err)
		}
		pass(time.Minute) // the lock expires
		b.counts(broker.Counts{Deferred: 1, Total: 1})
		got, err = b.queue.ReceiveDeferred(broker.ReceiveAndDelete, n[0])
		if err != nil || got[0].DeliveryCount != 2 || got[0].LockToken != (broker.Token{}) {
			t.Fatalf("received %+v, %v", got, err)
		}
		b.counts(broker.Counts{})
	})
}

func TestDeferredExpiresWhenAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{DefaultTimeToLive: time.Minute, DeadLetterOnExpiration: true})
		n := b.send("a")
		b.settle(b.queue, deferral, b.take(b.queue, "a")...)
		pass(time.Hour)
		b.counts(broker.Counts{Deferred: 1, Total: 1})
		_, err := b.queue.ReceiveDeferred(broker.PeekLock, n...)
		b.wantKind(err, broker.MessageNotFound)
		b.counts(broker.Counts{DeadLetter: 1, Total: 1})
	})
}

func TestDeadLetterADeferredMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		n := b.send("a")
		b.settle(b.queue, deferral, b.take(b.queue, "a")...)
		got, err := b.queue.ReceiveDeferred(broker.PeekLock, n...)
		if err != nil {
			t.Fatal(err)
		}
		b.settle(b.queue, broker.Settlement{Outcome: broker.DeadLetter}, got...)
		if d := b.take(b.dead, "a")[0]; d.State != broker.StateActive || len(d.Overlay) != 0 {
			t.Errorf("state %d, overlay %v", d.State, d.Overlay)
		}
	})
}

func TestDeleteOlder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		b.send("locked", "a", "b", "c")
		c := b.consume(b.queue, broker.PeekLock)
		if _, err := c.Take(1); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		cut := time.Now()
		b.send("new")
		for i, want := range []int{2, 1, 0} {
			if n, err := b.queue.DeleteOlder(cut, 2); n != want || err != nil {
				t.Errorf("call %d: deleted %d, want %d (%v)", i, n, want, err)
			}
		}
		b.takeFrom(c, "new")
	})
}

func TestSettleIsAllOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		b.send("a", "b")
		got := b.take(b.queue, "a", "b")
		b.wantKind(b.queue.Settle(complete, got[0].LockToken, broker.Token{}), broker.LockLost)
		b.wantKind(b.queue.Settle(broker.Settlement{}, got[0].LockToken), broker.Invalid)
		b.wantKind(b.queue.Settle(broker.Settlement{Outcome: 6}, got[0].LockToken), broker.Invalid)
		_, err := b.queue.Renew(got[0].LockToken, broker.Token{})
		b.wantKind(err, broker.LockLost)
		b.wantKind(b.dead.Settle(complete, got[0].LockToken), broker.LockLost)
		b.counts(broker.Counts{Active: 2, Total: 2})
		if err := b.queue.Settle(complete, got[0].LockToken, got[1].LockToken, got[0].LockToken); err != nil {
			t.Fatal(err)
		}
		b.counts(broker.Counts{})
	})
}

func TestOverlayMergesByKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		b.send("a")
		first := b.take(b.queue, "a")
		b.settle(b.queue, broker.Settlement{Outcome: broker.Abandon, Modify: []broker.Property{{Key: "x", Value: 1}, {Key: "y", Value: 1}}}, first...)
		second := b.take(b.queue, "a")
		b.settle(b.queue, broker.Settlement{Outcome: broker.Abandon, Modify: []broker.Property{{Key: "x", Value: 2}}}, second...)
		third := b.take(b.queue, "a")
		if len(first[0].Overlay) != 0 || overlay(second[0], "x") != 1 {
			t.Errorf("earlier deliveries changed: %v and %v", first[0].Overlay, second[0].Overlay)
		}
		if want := []broker.Property{{Key: "x", Value: 2}, {Key: "y", Value: 1}}; !slices.Equal(third[0].Overlay, want) {
			t.Errorf("overlay %v, want %v", third[0].Overlay, want)
		}
	})
}
