package queuetest

import (
	"errors"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
)

// aMoment is how long a queue is watched to see that nothing comes.
const aMoment = 2 * time.Second

func sendNothing(t *testing.T, h Harness) {
	send(t, h.Sender(t, h.Plain))
	none(t, h.Receiver(t, h.Plain), aMoment)
}

func sendWithoutID(t *testing.T, h Harness) {
	s := h.Sender(t, h.Plain)
	if err := s.Send(within(t, patience), queue.Message{ID: "a"}, queue.Message{Body: []byte("x")}); err == nil {
		t.Errorf("send without id: got nil, want an error")
	}
	none(t, h.Receiver(t, h.Plain), aMoment)
}

func sendTooLarge(t *testing.T, h Harness) {
	s := h.Sender(t, h.Plain)
	big := queue.Message{ID: "big", Body: make([]byte, h.TooLarge)}
	wantError(t, "send too much", s.Send(within(t, patience), big), queue.ErrTooLarge)
	send(t, s, queue.Message{ID: "small"}) // the link has not suffered
	complete(t, one(t, h.Receiver(t, h.Plain)))
}

func sendOneTooLarge(t *testing.T, h Harness) {
	s := h.Sender(t, h.Plain)
	messages := numbered("among", 3)
	messages[2].Body = make([]byte, h.TooLarge)
	wantError(t, "send too much", s.Send(within(t, patience), messages...), queue.ErrTooLarge)
	none(t, h.Receiver(t, h.Plain), aMoment)
}

func duplicateOnce(t *testing.T, h Harness) {
	if h.Unique == "" {
		t.Skip("the harness has no queue that detects duplicates")
	}
	s, r := h.Sender(t, h.Unique), h.Receiver(t, h.Unique)
	twice := queue.Message{ID: "twice", Body: []byte("first")}
	send(t, s, twice)
	twice.Body = []byte("second")
	send(t, s, twice)
	send(t, s, twice, queue.Message{ID: "other"})
	got := receive(t, r, 2)
	wantIDs(t, got, []queue.Message{{ID: "twice"}, {ID: "other"}})
	if string(got[0].Body) != "first" {
		t.Errorf("body: got that of the %s copy, want the first", got[0].Body)
	}
	complete(t, got...)
	send(t, s, twice)
	none(t, r, aMoment)
}

func missingQueue(t *testing.T, h Harness) {
	ctx := within(t, patience)
	_, err := h.Receiver(t, h.Missing).Receive(ctx, 1)
	wantError(t, "receive", err, queue.ErrNotFound)
	err = h.Sender(t, h.Missing).Send(ctx, queue.Message{ID: "x"})
	wantError(t, "send", err, queue.ErrNotFound)
	wantKindNamed(t, err, h.Missing)
}

func missingRights(t *testing.T, h Harness) {
	if h.Forbidden == nil {
		t.Skip("the harness has no links without rights")
	}
	r, s := h.Forbidden(t)
	ctx := within(t, patience)
	_, err := r.Receive(ctx, 1)
	wantError(t, "receive", err, queue.ErrUnauthorized)
	err = s.Send(ctx, queue.Message{ID: "x"})
	wantError(t, "send", err, queue.ErrUnauthorized)
	wantKindNamed(t, err, h.Plain)
}

// wantKindNamed requires a *queue.Error about the queue.
func wantKindNamed(t *testing.T, err error, name string) {
	t.Helper()
	e, ok := errors.AsType[*queue.Error](err)
	if !ok || e.Queue != name || e.Op != "send" {
		t.Errorf("error: got %#v, want a *queue.Error for send on %s", err, name)
	}
}
