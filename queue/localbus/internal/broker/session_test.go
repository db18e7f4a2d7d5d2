package broker_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

// newSessionBus makes a broker whose queue requires sessions.
func newSessionBus(t *testing.T) *bus {
	t.Helper()
	return newBus(t, broker.Properties{RequiresSession: true, LockDuration: 10 * time.Second, MaxDeliveryCount: 3})
}

// sendTo sends one message for each id to a session.
func (b *bus) sendTo(session string, ids ...string) {
	b.Helper()
	for _, id := range ids {
		b.sendMessages(broker.Message{ID: id, SessionID: session, HasSession: true})
	}
}

func (b *bus) accept(id string) *broker.Consumer {
	b.Helper()
	c, err := b.queue.AcceptSession(b.Context(), broker.SessionConfig{ID: id})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// acceptNext accepts any session and compares its id.
func (b *bus) acceptNext(want string) *broker.Consumer {
	b.Helper()
	c, err := b.queue.AcceptSession(b.Context(), broker.SessionConfig{Next: true})
	if err != nil {
		b.Fatal(err)
	}
	if got, _, _ := c.Session(); got != want {
		b.Fatalf("accepted session %q, want %q", got, want)
	}
	return c
}

func TestSessionByName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSessionBus(t)
		b.sendTo("s", "s1", "s2")
		b.sendTo("other", "o1")
		b.sendTo("", "e1")
		c := b.accept("s")
		id, until, ok := c.Session()
		if want := time.Now().Add(10 * time.Second); id != "s" || !until.Equal(want) || !ok {
			t.Errorf("session %q until %v, %t", id, until, ok)
		}
		_, err := b.queue.AcceptSession(t.Context(), broker.SessionConfig{ID: "s"})
		b.wantKind(err, broker.SessionLocked)
		got := b.takeFrom(c, "s1", "s2")
		if !got[0].LockedUntil.Equal(until) {
			t.Errorf("locked until %v, want that of the session, %v", got[0].LockedUntil, until)
		}
		b.takeFrom(b.accept(""), "e1")
		b.takeFrom(b.accept("unseen"))
	})
}

func TestSessionRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSessionBus(t)
		_, err := b.queue.Consume(broker.ConsumerConfig{})
		b.wantKind(err, broker.SessionRequired)
		_, err = b.dead.AcceptSession(t.Context(), broker.SessionConfig{ID: "s"})
		b.wantKind(err, broker.SessionRefused)
		b.consume(b.dead, broker.PeekLock)
		for _, err := range sessionErrors(b.queue, "s") {
			b.wantKind(err, broker.SessionLockLost)
		}
		for _, err := range sessionErrors(b.dead, "s") {
			b.wantKind(err, broker.SessionRefused)
		}
		b.accept("s")
		for _, err := range sessionErrors(b.queue, "s") {
			b.wantKind(err, 0)
		}
		b.wantKind(b.queue.SetSessionState("s", make([]byte, 262145)), broker.TooLarge)
	})
}

// sessionErrors calls what needs the lock of a session.
func sessionErrors(q *broker.Queue, id string) []error {
	_, renew := q.RenewSession(id)
	_, get := q.SessionState(id)
	return []error{renew, get, q.SetSessionState(id, nil)}
}

func TestSessionOrderAfterAbandon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSessionBus(t)
		b.sendTo("s", "1", "2", "3")
		c := b.accept("s")
		got := b.takeFrom(c, "1", "2", "3")
		b.settle(b.queue, abandon, got[2], got[0])
		b.takeFrom(c, "1", "3")
	})
}

func TestSessionCloseReleasesMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSessionBus(t)
		b.sendTo("s", "1", "2")
		c := b.accept("s")
		got := b.takeFrom(c, "1", "2")
		c.Close()
		c.Close()
		b.wantKind(b.queue.Settle(complete, got[0].LockToken), broker.LockLost)
		_, err := c.Take(1)
		b.wantKind(err, broker.Closed)
		if n := b.takeFrom(b.acceptNext("s"), "1", "2")[0].DeliveryCount; n != 0 {
			t.Errorf("delivery count %d, want 0", n)
		}
	})
}

func TestSessionLockExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSessionBus(t)
		b.sendTo("s", "1")
		var lost atomic.Int32
		c, err := b.queue.AcceptSession(t.Context(), broker.SessionConfig{ID: "s", Lost: func() { lost.Add(1) }})
		if err != nil {
			t.Fatal(err)
		}
		got := b.takeFrom(c, "1")
		pass(9 * time.Second)
		until, err := b.queue.RenewSession("s")
		if want := time.Now().Add(10 * time.Second); err != nil || !until.Equal(want) {
			t.Errorf("renewed until %v, want %v (%v)", until, want, err)
		}
		ends, err := b.queue.Renew(got[0].LockToken)
		if err != nil || !ends[0].Equal(until) {
			t.Errorf("message locked until %v, want %v (%v)", ends, until, err)
		}
		pass(10*time.Second - 1)
		b.accept("other").Close()
		if lost.Load() != 0 {
			t.Error("lost too early")
		}
		pass(1)
		synctest.Wait()
		if lost.Load() != 1 {
			t.Errorf("lost was called %d times, want 1", lost.Load())
		}
		_, err = c.Take(1)
		b.wantKind(err, broker.SessionLockLost)
		b.wantKind(b.queue.Settle(complete, got[0].LockToken), broker.LockLost)
		if _, until, ok := c.Session(); !until.IsZero() || !ok {
			t.Errorf("locked until %v, %t", until, ok)
		}
		if n := b.takeFrom(b.acceptNext("s"), "1")[0].DeliveryCount; n != 1 {
			t.Errorf("delivery count %d, want 1", n)
		}
		c.Close()
		if lost.Load() != 1 {
			t.Error("lost was called again")
		}
		if _, until, _ := c.Session(); !until.IsZero() {
			t.Errorf("the old consumer is locked until %v", until)
		}
		_, err = b.queue.RenewSession("s") // its new holder is untouched
		b.wantKind(err, 0)
	})
}

func TestSessionMaxDeliveryCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSessionBus(t)
		b.sendTo("s", "1", "2")
		for range 3 {
			got := b.takeFrom(b.acceptNext("s"), "1", "2")
			b.settle(b.queue, release, got[1])
			pass(10 * time.Second)
		}
		b.takeFrom(b.acceptNext("s"), "2")
		b.take(b.dead, "1")
	})
}

func TestSessionState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSessionBus(t)
		c := b.accept("s")
		state := []byte("half way")
		if err := b.queue.SetSessionState("s", state); err != nil {
			t.Fatal(err)
		}
		state[0] = 'X' // the broker keeps its own copy
		c.Close()
		c = b.accept("s")
		if got, err := b.queue.SessionState("s"); string(got) != "half way" || err != nil {
			t.Errorf("state %q, %v", got, err)
		}
		if err := b.queue.SetSessionState("s", nil); err != nil {
			t.Fatal(err)
		}
		c.Close()
		b.accept("s")
		if got, err := b.queue.SessionState("s"); got != nil || err != nil {
			t.Errorf("state %q, %v, want none", got, err)
		}
	})
}

func TestListSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSessionBus(t)
		b.sendTo("c", "c1")
		b.sendTo("a", "a1")
		b.sendMessages(broker.Message{ID: "later", SessionID: "scheduled", HasSession: true, ScheduledAt: time.Now().Add(time.Hour)})
		b.accept("empty")
		b.accept("a")
		b.queue.SetSessionState("a", []byte("x"))
		b.queue.SetSessionState("a", nil)
		b.sendTo("set aside", "d1")
		aside := b.takeFrom(b.accept("set aside"), "d1")
		b.settle(b.queue, deferral, aside...)
		if _, err := b.queue.ReceiveDeferred(broker.PeekLock, aside[0].SequenceNumber); err != nil {
			t.Fatal(err)
		}
		b.accept("b")
		b.queue.SetSessionState("b", []byte("x"))
		b.takeFrom(b.accept("c"), "c1")
		set := time.Now()
		pass(time.Second)
		for name, c := range map[string]struct {
			filter broker.SessionFilter
			want   []string
		}{
			"all":      {broker.SessionFilter{}, []string{"a", "b", "c"}},
			"page":     {broker.SessionFilter{Skip: 1, Top: 1}, []string{"b"}},
			"past":     {broker.SessionFilter{Skip: 5, Top: 1}, []string{}},
			"negative": {broker.SessionFilter{Skip: -1, Top: 2}, []string{"a", "b"}},
			"updated":  {broker.SessionFilter{UpdatedSince: set.Add(-1)}, []string{"b"}},
			"cleared":  {broker.SessionFilter{UpdatedSince: set.Add(-time.Hour)}, []string{"b"}},
			"not yet":  {broker.SessionFilter{UpdatedSince: set}, nil},
		} {
			if got, err := b.queue.Sessions(c.filter); !slices.Equal(got, c.want) || err != nil {
				t.Errorf("%s: sessions %q, want %q (%v)", name, got, c.want, err)
			}
		}
		_, err := b.dead.Sessions(broker.SessionFilter{})
		b.wantKind(err, broker.SessionRefused)
	})
}

func TestDeferredInSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSessionBus(t)
		b.sendTo("s", "1")
		c := b.accept("s")
		got := b.takeFrom(c, "1")
		b.settle(b.queue, deferral, got...)
		n := got[0].SequenceNumber
		again, err := b.queue.ReceiveDeferred(broker.PeekLock, n)
		if err != nil || again[0].ID != "1" {
			t.Fatalf("received %v, %v", again, err)
		}
		c.Close()
		b.wantKind(b.queue.Settle(complete, again[0].LockToken), broker.LockLost)
		_, err = b.queue.ReceiveDeferred(broker.PeekLock, n)
		b.wantKind(err, broker.SessionLockLost)
		b.counts(broker.Counts{Deferred: 1, Total: 1})
		b.takeFrom(b.accept("s"))
		again, err = b.queue.ReceiveDeferred(broker.PeekLock, n)
		if err != nil {
			t.Fatal(err)
		}
		b.settle(b.queue, complete, again...)
		b.counts(broker.Counts{})
	})
}

func TestSessionLockCoversItsMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSessionBus(t)
		b.sendMessages(broker.Message{ID: "1", SessionID: "s", HasSession: true, TTL: time.Second})
		c := b.accept("s")
		got := b.takeFrom(c, "1")
		pass(5 * time.Second)
		b.settle(b.queue, complete, got...)
	})
}
