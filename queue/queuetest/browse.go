package queuetest

import (
	"testing"

	"github.com/signmill/signmill/queue"
)

// browseSees looks at messages that wait, are locked, and have failed before.
func browseSees(t *testing.T, h Harness) {
	b := h.browser(t, h.Plain)
	if got := browse(t, b, 0, 10); len(got) != 0 {
		t.Fatalf("browse of an empty queue: got %d messages, want none", len(got))
	}
	messages := numbered("browsed", 5)
	messages[2].CorrelationID, messages[2].ReplyTo = "asked", "answers"
	messages[2].Properties = map[string]any{"n": int64(7)}
	send(t, h.Sender(t, h.Plain), messages...)
	locked := one(t, h.Receiver(t, h.Plain))
	got := browse(t, b, 0, len(messages))
	for i, m := range got {
		if m.ID != messages[i].ID || string(m.Body) != string(messages[i].Body) {
			t.Errorf("message %d: got %q, want %q", i, m.ID, messages[i].ID)
		}
		if m.Count != 0 || m.EnqueuedAt.IsZero() || !m.LockedUntil.IsZero() || i > 0 && m.SequenceNumber <= got[i-1].SequenceNumber {
			t.Errorf("message %d: got receipt %+v, want no delivery, a time, no lock, and a higher number than before", i, m.Receipt)
		}
	}
	if m := got[2]; m.CorrelationID != "asked" || m.ReplyTo != "answers" || m.Properties["n"] != int64(7) {
		t.Errorf("got %+v, want it whole", m.Message)
	}
	if first := browse(t, b, got[3].SequenceNumber, 1)[0]; first.ID != messages[3].ID {
		t.Errorf("browse from the fourth: got %q, want %q", first.ID, messages[3].ID)
	}
	if after := browse(t, b, got[4].SequenceNumber+1, 10); len(after) != 0 {
		t.Errorf("browse behind the last: got %d messages, want none", len(after))
	}
	if err := locked.Abandon(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := browse(t, b, 0, 1)[0]; got.Count != 1 {
		t.Errorf("count of a message that was given back: got %d, want 1", got.Count)
	}
}

// browseTakesNothing looks many times; each message is still on its first
// delivery then.
func browseTakesNothing(t *testing.T, h Harness) {
	messages := numbered("untouched", 3)
	send(t, h.Sender(t, h.Plain), messages...)
	b := h.browser(t, h.Plain)
	for range h.MaxDeliveries + 2 {
		browse(t, b, 0, 10)
	}
	all := receive(t, h.Receiver(t, h.Plain), len(messages))
	wantEach(t, all, messages)
	complete(t, all...)
}

// browseRefuses covers what cannot be browsed.
func browseRefuses(t *testing.T, h Harness) {
	_, err := h.browser(t, h.Missing).Browse(within(t, patience), 0, 1)
	wantError(t, "browse", err, queue.ErrNotFound)
	if _, err := h.browser(t, h.Plain).Browse(within(t, patience), 0, 0); err == nil {
		t.Error("browse with limit 0: got nil, want an error")
	}
}

// browser opens what a harness offers, or skips the test.
func (h Harness) browser(t *testing.T, name string) queue.Browser {
	t.Helper()
	b, ok := h.Receiver(t, name).(queue.Browser)
	if !ok {
		t.Skip("the receiver is no queue.Browser")
	}
	return b
}

// browse looks until there are as many messages as asked for, or no more.
func browse(t *testing.T, b queue.Browser, from int64, limit int) (all []queue.Browsed) {
	t.Helper()
	for len(all) < limit {
		more, err := b.Browse(within(t, patience), from, limit-len(all))
		if err != nil {
			t.Fatalf("browse: got %v, want nil", err)
		}
		if len(more) == 0 {
			break
		}
		all = append(all, more...)
		from = all[len(all)-1].SequenceNumber + 1
	}
	return all
}
