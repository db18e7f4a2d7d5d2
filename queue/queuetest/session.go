package queuetest

import (
	"context"
	"testing"

	"github.com/signmill/signmill/queue"
)

// session locks a session of the harness's queue.
func session(t *testing.T, h Harness, id string) queue.Receiver {
	t.Helper()
	if h.Sessions == "" {
		t.Skip("the harness has no queue with sessions")
	}
	r, err := h.Session(within(t, patience), h.Sessions, id)
	if err != nil {
		t.Fatalf("lock session %q: got %v, want nil", id, err)
	}
	return r
}

// sessionOwn sends replies for two sessions in turns, some in one send.
func sessionOwn(t *testing.T, h Harness) {
	a := session(t, h, "client-a")
	s := h.Sender(t, h.Sessions)
	replies := numbered("reply", 12)
	var forA, forB []queue.Message
	for i := range replies {
		if i%3 == 0 {
			replies[i].SessionID = "client-b"
			forB = append(forB, replies[i])
		} else {
			replies[i].SessionID = "client-a"
			forA = append(forA, replies[i])
		}
	}
	send(t, s, replies[:6]...)
	for _, m := range replies[6:] {
		send(t, s, m)
	}
	wantSession(t, a, "client-a", forA)
	wantSession(t, session(t, h, "client-b"), "client-b", forB)
	none(t, a, aMoment)
}

func wantSession(t *testing.T, r queue.Receiver, id string, want []queue.Message) {
	t.Helper()
	got := receive(t, r, len(want))
	wantIDs(t, got, want)
	for _, d := range got {
		if d.SessionID != id {
			t.Errorf("session of %q: got %q, want %q", d.ID, d.SessionID, id)
		}
		if until, err := d.Renew(within(t, patience)); err != nil || until.IsZero() {
			t.Errorf("renew %q: got %v, %v, want a time", d.ID, until, err)
		}
	}
	complete(t, got...)
}

func sessionOneHolder(t *testing.T, h Harness) {
	first := session(t, h, "held")
	if _, err := h.Session(within(t, patience), h.Sessions, "held"); err == nil {
		t.Errorf("second lock of a session: got nil, want an error")
	}
	if err := first.Close(within(t, patience)); err != nil {
		t.Fatalf("close: got %v, want nil", err)
	}
	r := eventually(t, func(ctx context.Context) (queue.Receiver, error) {
		return h.Session(ctx, h.Sessions, "held")
	})
	send(t, h.Sender(t, h.Sessions), queue.Message{ID: "x", SessionID: "held"})
	complete(t, one(t, r))
}

// eventually repeats an attempt until it succeeds, for as long as patience.
func eventually(t *testing.T, try func(context.Context) (queue.Receiver, error)) queue.Receiver {
	t.Helper()
	ctx := within(t, patience)
	for {
		r, err := try(ctx)
		if err == nil {
			return r
		}
		if ctx.Err() != nil {
			t.Fatalf("after %v: got %v, want nil", patience, err)
		}
		<-within(t, aMoment/10).Done()
	}
}
