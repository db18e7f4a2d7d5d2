package queuetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
)

func keepsLimit(t *testing.T, h Harness) {
	messages := numbered("limited", 10)
	send(t, h.Sender(t, h.Plain), messages...)
	r := h.Receiver(t, h.Plain)
	var all []*queue.Delivery
	for len(all) < len(messages) {
		got, err := r.Receive(within(t, patience), 3)
		if err != nil {
			t.Fatalf("receive: got %v, want nil", err)
		}
		if len(got) < 1 || len(got) > 3 {
			t.Fatalf("receive with limit 3: got %d deliveries, want 1 to 3", len(got))
		}
		all = append(all, got...)
	}
	wantEach(t, all, messages)
}

func refusesLimit(t *testing.T, h Harness) {
	r := h.Receiver(t, h.Plain)
	for _, limit := range []int{0, -1} {
		if got, err := r.Receive(within(t, patience), limit); err == nil {
			t.Errorf("receive with limit %d: got %d deliveries and nil, want an error", limit, len(got))
		}
	}
}

// waitsForMessage starts to receive before there is anything, and again after
// a wait that ended with nothing.
func waitsForMessage(t *testing.T, h Harness) {
	s, r := h.Sender(t, h.Plain), h.Receiver(t, h.Plain)
	for _, m := range numbered("awaited", 3) {
		got := make(chan *queue.Delivery, 1)
		go func() { got <- first(r.Receive(within(t, patience), 5)) }()
		select {
		case <-got:
			t.Fatalf("receive on an empty queue: got a result, want it to wait")
		case <-time.After(aMoment / 4):
		}
		send(t, s, m)
		d := <-got
		if d == nil || d.ID != m.ID {
			t.Fatalf("receive: got %v, want %q", d, m.ID)
		}
		complete(t, d)
	}
}

// first returns the only delivery of a result, or nil.
func first(deliveries []*queue.Delivery, err error) *queue.Delivery {
	if err != nil || len(deliveries) != 1 {
		return nil
	}
	return deliveries[0]
}

func endsWithContext(t *testing.T, h Harness) {
	r := h.Receiver(t, h.Plain)
	none(t, r, aMoment)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, err := r.Receive(ctx, 1)
	if len(got) > 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("receive after cancel: got %d deliveries and %v, want context canceled", len(got), err)
	}
}

// returnsBuffered ends the context soon after a message came, while the
// adapter may wait for more to fill the limit. The message must come out, now
// or with the next call, and without having to wait for its lock.
func returnsBuffered(t *testing.T, h Harness) {
	s, r := h.Sender(t, h.Plain), h.Receiver(t, h.Plain)
	none(t, r, aMoment/4) // the link is open now
	for _, m := range numbered("buffered", 5) {
		send(t, s, m)
		got, err := r.Receive(within(t, 5*time.Millisecond), 100)
		if err != nil && len(got) > 0 {
			t.Fatalf("receive: got %d deliveries and %v, want one or the other", len(got), err)
		}
		if err != nil {
			wantError(t, "receive", err, context.DeadlineExceeded)
			got = receive(t, r, 1)
		}
		wantIDs(t, got, []queue.Message{m})
		wantEach(t, got, []queue.Message{m})
		complete(t, got...)
	}
}

// cancelLosesNothing receives with contexts of all lengths around the time
// that messages take to come.
func cancelLosesNothing(t *testing.T, h Harness) {
	messages := numbered("kept", 60)
	s, r := h.Sender(t, h.Plain), h.Receiver(t, h.Plain)
	send(t, s, messages[:30]...)
	var all []*queue.Delivery
	for i := range 30 {
		send(t, s, messages[30+i])
		got, err := r.Receive(within(t, time.Duration(i)*time.Millisecond), 2)
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("receive: got %v, want nil or deadline exceeded", err)
		}
		all = append(all, got...)
	}
	all = append(all, receive(t, r, len(messages)-len(all))...)
	wantEach(t, all, messages)
}
