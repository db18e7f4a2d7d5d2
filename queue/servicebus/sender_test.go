package servicebus

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
)

// TestCloseWaitsForSends keeps a send waiting for a second, because the broker
// gives no credit.
func TestCloseWaitsForSends(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, startFaultyBus(t, localbus.Faults{NoCredit: true}).dial)
		s := must(client.Sender(plainQueue))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		sent := make(chan error, 1)
		go func() { sent <- s.Send(ctx, queue.Message{ID: "x"}) }()
		synctest.Wait()
		started := time.Now()
		if err := s.Close(t.Context()); err != nil {
			t.Errorf("close: got %v, want nil", err)
		}
		if got := time.Since(started); got != time.Second {
			t.Errorf("close: took %v, want the second of the send", got)
		}
		if err := <-sent; err == nil {
			t.Errorf("send: got nil, want an error")
		}
	})
}

// TestBatchHoldsOneSession guards against replies that reach the wrong reader.
func TestBatchHoldsOneSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := must(newClient(t, startBus(t).dial).Sender(sessionQueue))
		var messages []queue.Message
		for i, session := range []string{"a", "a", "b", "", "", "a"} {
			messages = append(messages, queue.Message{ID: fmt.Sprint(i), SessionID: session})
		}
		batches, err := s.pack(t.Context(), must(outgoingAll(messages)))
		if err != nil {
			t.Fatal(err)
		}
		var got []int32
		for _, b := range batches {
			got = append(got, b.NumMessages())
		}
		if want := []int32{2, 1, 2, 1}; !slices.Equal(got, want) {
			t.Errorf("messages in each batch: got %v, want %v", got, want)
		}
	})
}

// TestSendIsBounded gives a context that never ends to a send that cannot
// succeed.
func TestSendIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, startFaultyBus(t, localbus.Faults{NoCredit: true}).dial)
		s := must(client.Sender(plainQueue))
		started := time.Now()
		if err := s.Send(t.Context(), queue.Message{ID: "x"}); err == nil {
			t.Errorf("got nil, want an error")
		}
		if got := time.Since(started); got > operationLimit {
			t.Errorf("send: took %v, want at most %v", got, operationLimit)
		}
	})
}
