package localbus_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

var sessionQueue = []localbus.Queue{{Name: "jobs", QueueProperties: localbus.QueueProperties{RequiresSession: true}}}

func (b *bench) sendTo(session string, bodies ...string) {
	b.t.Helper()
	for _, body := range bodies {
		b.ok(b.sender.SendMessage(b.t.Context(), &azservicebus.Message{SessionID: &session, Body: []byte(body)}, nil))
	}
}

func TestSessionKeepsItsMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, localbus.Config{Queues: sessionQueue})
		ctx := t.Context()
		b.sendTo("A", "a1", "a2")
		b.sendTo("", "empty id")
		s, err := b.client.AcceptSessionForQueue(ctx, "jobs", "A", nil)
		b.ok(err)
		if until := time.Until(s.LockedUntil()); until != time.Minute {
			t.Errorf("locked for %v, want 1m", until)
		}
		m := receiveAll(t, s, 2)
		if string(m[0].Body) != "a1" || string(m[1].Body) != "a2" {
			t.Errorf("got %q and %q", m[0].Body, m[1].Body)
		}
		b.ok(s.CompleteMessage(ctx, m[0], nil))
		b.ok(s.SetSessionState(ctx, []byte("half"), nil))
		b.ok(s.Close(ctx))

		next, err := b.client.AcceptNextSessionForQueue(ctx, "jobs", nil)
		b.ok(err)
		other, err := b.client.AcceptNextSessionForQueue(ctx, "jobs", nil)
		b.ok(err)
		if next.SessionID() == other.SessionID() || next.SessionID()+other.SessionID() != "A" {
			t.Errorf("sessions %q and %q, want \"\" and A", next.SessionID(), other.SessionID())
		}
		a := next
		if a.SessionID() != "A" {
			a = other
		}
		state, err := a.GetSessionState(ctx, nil)
		b.ok(err)
		if string(state) != "half" {
			t.Errorf("state %q, want half", state)
		}
		if m := receiveAll(t, a, 1)[0]; string(m.Body) != "a2" || m.DeliveryCount != 1 {
			t.Errorf("got %q with count %d, want a2 with 1", m.Body, m.DeliveryCount)
		}
	})
}

func TestSessionIsHeldOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, localbus.Config{Queues: sessionQueue})
	s, err := b.client.AcceptSessionForQueue(t.Context(), "jobs", "A", nil)
	b.ok(err)
	_, err = b.client.AcceptSessionForQueue(t.Context(), "jobs", "A", nil)
	if err == nil || !strings.Contains(err.Error(), "com.microsoft:session-cannot-be-locked") {
		t.Errorf("error %v, want session-cannot-be-locked", err)
	}
	b.ok(s.RenewSessionLock(t.Context(), nil))
}

func TestNoSessionInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, localbus.Config{Queues: sessionQueue})
		start := time.Now()
		_, err := b.client.AcceptNextSessionForQueue(t.Context(), "jobs", nil)
		if took := time.Since(start); !hasCode(err, azservicebus.CodeTimeout) || took != time.Minute {
			t.Errorf("error %v after %v, want timeout after 1m", err, took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start = time.Now()
		_, err = b.client.AcceptNextSessionForQueue(ctx, "jobs", nil)
		if took := time.Since(start); err == nil || took > 5*time.Second {
			t.Errorf("error %v after %v, want one within 5s", err, took)
		}
	})
}

func TestWaitForASession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, localbus.Config{Queues: sessionQueue})
		sent := make(chan error, 1)
		time.AfterFunc(10*time.Second, func() {
			late := "late"
			sent <- b.sender.SendMessage(t.Context(), &azservicebus.Message{SessionID: &late}, nil)
		})
		s, err := b.client.AcceptNextSessionForQueue(t.Context(), "jobs", nil)
		b.ok(err)
		if s.SessionID() != "late" {
			t.Errorf("session %q, want late", s.SessionID())
		}
		b.ok(<-sent)
	})
}

func TestSessionLockExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, localbus.Config{Queues: sessionQueue})
		b.sendTo("A", "a1")
		s, err := b.client.AcceptSessionForQueue(t.Context(), "jobs", "A", nil)
		b.ok(err)
		m := receiveAll(t, s, 1)[0]
		<-time.After(61 * time.Second)
		if err := s.CompleteMessage(t.Context(), m, nil); !hasCode(err, azservicebus.CodeLockLost) {
			t.Errorf("complete after the lock: error %v, want lock lost", err)
		}
		other, err := b.client.AcceptNextSessionForQueue(t.Context(), "jobs", nil)
		b.ok(err)
		if m := receiveAll(t, other, 1)[0]; m.DeliveryCount != 2 {
			t.Errorf("delivery count %d, want 2", m.DeliveryCount)
		}
	})
}

func TestPlainReceiverOnSessionQueue(t *testing.T) {
	t.Parallel()
	b := newBench(t, localbus.Config{Queues: sessionQueue})
	_, err := b.receiver.ReceiveMessages(t.Context(), 1, nil)
	const want = "It is not possible for an entity that requires sessions to create a non-sessionful message receiver."
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
	err = b.sender.SendMessage(t.Context(), &azservicebus.Message{}, nil)
	if err == nil || !strings.Contains(err.Error(), "no session id") {
		t.Errorf("send without a session: error %v", err)
	}
}

func TestListSessions(t *testing.T) {
	t.Parallel()
	b := newBench(t, localbus.Config{Queues: sessionQueue})
	b.sendTo("B", "x")
	b.sendTo("A", "x")
	s, err := b.client.AcceptSessionForQueue(t.Context(), "jobs", "C", nil)
	b.ok(err)
	b.ok(s.SetSessionState(t.Context(), []byte("s"), nil))
	peeked, err := s.PeekMessages(t.Context(), 5, nil)
	b.ok(err)
	if len(peeked) != 0 {
		t.Errorf("session C shows %d messages of other sessions", len(peeked))
	}
	var ids []string
	for pager := b.client.NewListSessionsForQueuePager("jobs", nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		b.ok(err)
		ids = append(ids, page.Sessions...)
	}
	if got := strings.Join(ids, " "); got != "A B C" {
		t.Errorf("sessions %q, want A B C", got)
	}
}

// A peer may give up a link that waits for a session. A handle is ours to
// detach only once it is attached: the answer has both frames.
func TestDetachWhileWaitingForASession(t *testing.T) {
	t.Parallel()
	s := newServer(t, localbus.Config{OpenAccess: true, Queues: sessionQueue})
	p := openPeer(t, s)
	source := amqp.NewTerminus(amqp.CodeSource, "jobs").WithFilter(amqp.Map{{Key: amqp.Symbol("com.microsoft:session-filter")}})
	for range 2 { // the handle is free again
		p.write(amqp.Attach{Name: "r", Handle: 3, Receiver: true, Source: source, Target: &amqp.Terminus{Code: amqp.CodeTarget}}.Append(nil, 0))
		p.write(amqp.Detach{Handle: 3, Closed: true}.Append(nil, 0))
		f, _ := p.expect(amqp.CodeAttach)
		if a, err := amqp.DecodeAttach(f); err != nil || a.Name != "r" || a.Handle != 3 || a.Receiver || a.Source != nil || a.Target != nil {
			t.Errorf("attach %+v, error %v", a, err)
		}
		f, _ = p.expect(amqp.CodeDetach)
		if d, err := amqp.DecodeDetach(f); err != nil || d.Handle != 3 || !d.Closed || d.Error != nil {
			t.Errorf("detach %+v, error %v", d, err)
		}
	}
}
