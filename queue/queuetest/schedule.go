package queuetest

import (
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
)

// scheduledComes sends messages for later, of several partition keys and in
// one send. The clocks of here and the broker differ by less than a second.
func scheduledComes(t *testing.T, h Harness) {
	due := time.Now().Add(5 * time.Second).UTC().Truncate(time.Millisecond)
	messages := numbered("later", 3)
	for i := range messages {
		messages[i].ScheduledAt, messages[i].TimeToLive = due, time.Minute
	}
	messages[1].PartitionKey = "aside"
	send(t, h.Sender(t, h.Plain), messages...)
	r := h.Receiver(t, h.Plain)
	none(t, r, 3*time.Second)
	byID := map[string]queue.Message{}
	for _, m := range messages {
		byID[m.ID] = m
	}
	for _, d := range receive(t, r, len(messages)) {
		want := byID[d.ID]
		want.Queue = h.Plain
		wantMessage(t, d.Message, want)
		if d.EnqueuedAt.Before(due) {
			t.Errorf("%s came at %v, want it at %v or later", d.ID, d.EnqueuedAt, due)
		}
		complete(t, d)
	}
}
