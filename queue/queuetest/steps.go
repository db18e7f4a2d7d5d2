package queuetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
)

// patience bounds what ought to happen at once.
const patience = 30 * time.Second

// within returns a context that ends after d, or with the test.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// send sends messages and requires success.
func send(t *testing.T, s queue.Sender, messages ...queue.Message) {
	t.Helper()
	if err := s.Send(within(t, patience), messages...); err != nil {
		t.Fatalf("send %d messages: got %v, want nil", len(messages), err)
	}
}

// receive returns exactly n deliveries.
func receive(t *testing.T, r queue.Receiver, n int) []*queue.Delivery {
	t.Helper()
	ctx := within(t, patience)
	var got []*queue.Delivery
	for len(got) < n {
		more, err := r.Receive(ctx, n-len(got))
		if err != nil {
			t.Fatalf("receive %d messages: got %v after %d, want nil", n, err, len(got))
		}
		got = append(got, more...)
	}
	return got
}

// one returns one delivery.
func one(t *testing.T, r queue.Receiver) *queue.Delivery {
	t.Helper()
	return receive(t, r, 1)[0]
}

// none requires that nothing can be received for d.
func none(t *testing.T, r queue.Receiver, d time.Duration) {
	t.Helper()
	got, err := r.Receive(within(t, d), 1)
	if len(got) > 0 {
		t.Errorf("receive on a queue that has nothing to give: got %q, want none", got[0].ID)
		return
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("receive on a queue that has nothing to give: got %v, want deadline exceeded", err)
	}
}

// complete completes deliveries and requires success.
func complete(t *testing.T, deliveries ...*queue.Delivery) {
	t.Helper()
	for _, d := range deliveries {
		if err := d.Complete(within(t, patience)); err != nil {
			t.Errorf("complete %q: got %v, want nil", d.ID, err)
		}
	}
}

// wantError requires that err is what is wanted and, for one of queue's own
// conditions, says on which queue it arose.
func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
		return
	}
	if e, ok := errors.AsType[*queue.Error](err); ok && (e.Op == "" || e.Queue == "" || e.Err == nil) {
		t.Errorf("%s: got %+v, want operation, queue and cause", what, e)
	}
}

// numbered returns n messages with the IDs prefix-000, prefix-001 and so on.
func numbered(prefix string, n int) []queue.Message {
	messages := make([]queue.Message, n)
	for i := range messages {
		messages[i] = queue.Message{ID: fmt.Sprintf("%s-%03d", prefix, i), Body: []byte(prefix)}
	}
	return messages
}

// wantIDs requires that deliveries carry the IDs of messages, in order.
func wantIDs(t *testing.T, deliveries []*queue.Delivery, messages []queue.Message) {
	t.Helper()
	if len(deliveries) != len(messages) {
		t.Fatalf("deliveries: got %d, want %d", len(deliveries), len(messages))
	}
	for i, d := range deliveries {
		if d.ID != messages[i].ID {
			t.Fatalf("delivery %d: got %q, want %q", i, d.ID, messages[i].ID)
		}
	}
}

// wantEach requires that deliveries carry each ID of messages once, each on
// its first delivery, in any order.
func wantEach(t *testing.T, deliveries []*queue.Delivery, messages []queue.Message) {
	t.Helper()
	seen := make(map[string]int)
	for _, d := range deliveries {
		seen[d.ID]++
		if d.Count != 1 {
			t.Errorf("count of %q: got %d, want 1", d.ID, d.Count)
		}
	}
	for _, m := range messages {
		if seen[m.ID] != 1 {
			t.Errorf("deliveries of %q: got %d, want 1", m.ID, seen[m.ID])
		}
	}
}
