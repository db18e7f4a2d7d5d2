package queuetest

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
)

// full is a message with every field set.
func full() queue.Message {
	return queue.Message{
		ID:               "job-7c9e6679",
		CorrelationID:    "batch-12",
		ReplyTo:          "replies",
		ReplyToSessionID: "client-3",
		Subject:          "sign",
		ContentType:      "application/json; charset=utf-8",
		ContentEncoding:  "identity",
		Body:             []byte("{\"text\":\"grüße \U0001F511\"}\x00\xff"),
		TimeToLive:       10 * time.Minute,
		Properties: map[string]any{
			"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
			"empty":       "",
			"umläut":      "größe",
			"yes":         true,
			"no":          false,
			"least":       int64(math.MinInt64),
			"small":       int64(7),
			"most":        uint64(math.MaxUint64),
			"ratio":       float64(0.1),
			"when":        time.Date(2026, 11, 24, 10, 20, 30, 456e6, time.UTC),
		},
	}
}

func travelsWhole(t *testing.T, h Harness) {
	want := full()
	send(t, h.Sender(t, h.Plain), want)
	want.Queue = h.Plain
	got := one(t, h.Receiver(t, h.Plain))
	wantMessage(t, got.Message, want)
	wantReceipt(t, got.Receipt, want, h.LockDuration)
	complete(t, got)
}

func wantMessage(t *testing.T, got, want queue.Message) {
	t.Helper()
	if !maps.EqualFunc(got.Properties, want.Properties, sameValue) {
		t.Errorf("properties: got %#v, want %#v", got.Properties, want.Properties)
	}
	if !bytes.Equal(got.Body, want.Body) {
		t.Errorf("body: got %d bytes, want the %d bytes sent", len(got.Body), len(want.Body))
	}
	got.Properties, want.Properties = nil, nil
	got.Body, want.Body = nil, nil
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("message: got %s, want %s", g, w)
	}
}

func sameValue(a, b any) bool {
	if t, ok := a.(time.Time); ok {
		u, ok := b.(time.Time)
		return ok && t.Equal(u)
	}
	return a == b
}

func wantReceipt(t *testing.T, got queue.Receipt, m queue.Message, lock time.Duration) {
	t.Helper()
	if got.Count != 1 {
		t.Errorf("count: got %d, want 1", got.Count)
	}
	if got.SequenceNumber < 1 {
		t.Errorf("sequence number: got %d, want 1 or more", got.SequenceNumber)
	}
	if want := got.EnqueuedAt.Add(m.TimeToLive); !got.ExpiresAt.Equal(want) {
		t.Errorf("expires at: got %v, want %v", got.ExpiresAt, want)
	}
	if held := got.LockedUntil.Sub(got.EnqueuedAt); held < lock || held > lock+patience {
		t.Errorf("locked until: got %v after it was enqueued, want the lock of %v", held, lock)
	}
}

func smallestTravels(t *testing.T, h Harness) {
	want := queue.Message{ID: "x"}
	send(t, h.Sender(t, h.Plain), want)
	want.Queue = h.Plain
	got := one(t, h.Receiver(t, h.Plain))
	got.TimeToLive = 0 // the queue may have a default
	wantMessage(t, got.Message, want)
	complete(t, got)
}

func largeTravels(t *testing.T, h Harness) {
	want := queue.Message{ID: "large", Body: pattern(200_000)}
	send(t, h.Sender(t, h.Plain), want)
	got := one(t, h.Receiver(t, h.Plain))
	if !bytes.Equal(got.Body, want.Body) {
		t.Errorf("body: got %d bytes that differ, want the %d bytes sent", len(got.Body), len(want.Body))
	}
	complete(t, got)
}

// pattern returns n bytes in which no stretch repeats for a long time.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>16 ^ i>>8 ^ i)
	}
	return b
}

func arriveInOrder(t *testing.T, h Harness) {
	s := h.Sender(t, h.Plain)
	messages := numbered("ordered", 20)
	for _, m := range messages {
		send(t, s, m)
	}
	got := receive(t, h.Receiver(t, h.Plain), len(messages))
	wantIDs(t, got, messages)
	rising := func(a, b *queue.Delivery) int { return int(a.SequenceNumber - b.SequenceNumber) }
	if !slices.IsSortedFunc(got, rising) {
		t.Errorf("sequence numbers do not rise")
	}
	complete(t, got...)
}

// manyOfOneSend sends more than fits one batch of the standard size.
func manyOfOneSend(t *testing.T, h Harness) {
	messages := numbered("bulk", 600)
	for i := range messages {
		messages[i].Body = pattern(1000)
	}
	send(t, h.Sender(t, h.Plain), messages...)
	got := receive(t, h.Receiver(t, h.Plain), len(messages))
	wantIDs(t, got, messages)
}

func concurrentSends(t *testing.T, h Harness) {
	const senders, each = 8, 10
	s := h.Sender(t, h.Plain)
	var all []queue.Message
	var wg sync.WaitGroup
	for i := range senders {
		messages := numbered(fmt.Sprintf("sender-%d", i), each)
		all = append(all, messages...)
		wg.Go(func() {
			for _, m := range messages {
				if err := s.Send(within(t, patience), m); err != nil {
					t.Errorf("send %q: got %v, want nil", m.ID, err)
				}
			}
		})
	}
	wg.Wait()
	wantEach(t, receive(t, h.Receiver(t, h.Plain), senders*each), all)
}
