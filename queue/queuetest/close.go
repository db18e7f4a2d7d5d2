package queuetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
)

func closeOnce(t *testing.T, what string, link interface{ Close(context.Context) error }) {
	t.Helper()
	if err := link.Close(within(t, patience)); err != nil {
		t.Fatalf("close %s: got %v, want nil", what, err)
	}
}

func closedReceiver(t *testing.T, h Harness) {
	send(t, h.Sender(t, h.Plain), full())
	r := h.Receiver(t, h.Plain)
	complete(t, one(t, r))
	closeOnce(t, "receiver", r)
	closeOnce(t, "receiver again", r)
	since := time.Now()
	if got, err := r.Receive(within(t, patience), 1); err == nil {
		t.Errorf("receive after close: got %d deliveries and nil, want an error", len(got))
	}
	if waited := time.Since(since); waited > patience/2 {
		t.Errorf("receive after close: took %v, want an answer at once", waited)
	}
}

func closeEndsReceive(t *testing.T, h Harness) {
	r := h.Receiver(t, h.Plain)
	none(t, r, aMoment/4) // the link is open now
	ended := make(chan error, 1)
	go func() {
		_, err := r.Receive(within(t, patience), 1)
		ended <- err
	}()
	select {
	case <-ended:
		t.Fatalf("receive on an empty queue: got a result, want it to wait")
	case <-time.After(aMoment / 4):
	}
	closeOnce(t, "receiver", r)
	since := time.Now()
	if err := <-ended; err == nil {
		t.Errorf("receive under way: got nil, want an error")
	}
	if waited := time.Since(since); waited > patience/2 {
		t.Errorf("receive under way: went on for %v, want it to end at once", waited)
	}
}

// closedSettles settles after the receiver was closed, as a worker does that
// drains.
func closedSettles(t *testing.T, h Harness) {
	send(t, h.Sender(t, h.Plain), numbered("drained", 4)...)
	r := h.Receiver(t, h.Plain)
	got := receive(t, r, 4)
	closeOnce(t, "receiver", r)
	ctx := within(t, patience)
	if _, err := got[0].Renew(ctx); err != nil {
		t.Errorf("renew after close: got %v, want nil", err)
	}
	complete(t, got[0], got[1])
	if err := got[2].DeadLetter(ctx, "drained", ""); err != nil {
		t.Errorf("dead-letter after close: got %v, want nil", err)
	}
	if err := got[3].Abandon(ctx); err != nil {
		t.Errorf("abandon after close: got %v, want nil", err)
	}
	next := h.Receiver(t, h.Plain)
	again := one(t, next)
	wantAgain(t, again, got[3], 2)
	complete(t, again)
	none(t, next, h.LockDuration+aMoment)
}

// closedSender closes a sender in the middle of sends. Each send that reported
// success must be found on the queue.
func closedSender(t *testing.T, h Harness) {
	s := h.Sender(t, h.Plain)
	messages := numbered("last", 20)
	send(t, s, messages[0])
	results := make([]error, len(messages))
	var wg sync.WaitGroup
	for i, m := range messages[1:] {
		wg.Go(func() { results[i+1] = s.Send(within(t, patience), m) })
	}
	closeOnce(t, "sender", s)
	closeOnce(t, "sender again", s)
	wg.Wait()
	if err := s.Send(within(t, patience), queue.Message{ID: "late"}); err == nil {
		t.Errorf("send after close: got nil, want an error")
	}
	var sent []queue.Message
	for i, m := range messages {
		if results[i] == nil {
			sent = append(sent, m)
		}
	}
	r := h.Receiver(t, h.Plain)
	wantEach(t, receive(t, r, len(sent)), sent)
	none(t, r, aMoment)
}
