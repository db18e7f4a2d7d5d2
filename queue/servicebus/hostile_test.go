package servicebus

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/signmill/signmill/queue"
)

// TestUndecodableMessageEndsAsDeadLetter sends a message on which the client
// panics, among good ones. Whoever may send to a queue can do that.
func TestUndecodableMessageEndsAsDeadLetter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, startBus(t).dial)
		const good = 5
		sendRaw(t, client, &azservicebus.Message{MessageID: optional("good-0")})
		sendRaw(t, client, &azservicebus.Message{
			MessageID:             optional("poison"),
			ApplicationProperties: map[string]any{"DeadLetterReason": int64(1)},
		})
		for i := range good - 1 {
			sendRaw(t, client, &azservicebus.Message{MessageID: optional(fmt.Sprintf("good-%d", i+1))})
		}
		r := must(client.Receiver(plainQueue))
		if err := r.Warm(t.Context()); err != nil {
			t.Errorf("warm: got %v, want nil", err)
		}
		seen := receiveFor(t, r, 3*maxDeliveries*lockDuration)
		for i := range good {
			if got := seen[fmt.Sprintf("good-%d", i)]; got != 1 {
				t.Errorf("good-%d: got %d completions, want 1", i, got)
			}
		}
		dead := takeOne(t, must(client.Receiver(DeadLetters(plainQueue))))
		if dead.ID != "poison" {
			t.Errorf("dead letter: got %q, want poison", dead.ID)
		}
	})
}

// sendRaw sends what our own sender would refuse to.
func sendRaw(t *testing.T, c *Client, m *azservicebus.Message) {
	t.Helper()
	sender := must(c.sdk.NewSender(plainQueue, nil))
	defer sender.Close(t.Context())
	if err := sender.SendMessage(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
}

// receiveFor completes what comes for some time and counts it.
func receiveFor(t *testing.T, r queue.Receiver, d time.Duration) map[string]int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	seen := make(map[string]int)
	for {
		got, err := r.Receive(ctx, 10)
		if err != nil {
			return seen
		}
		for _, d := range got {
			seen[d.ID]++
			if err := d.Complete(t.Context()); err != nil {
				t.Errorf("complete %q: got %v, want nil", d.ID, err)
			}
		}
	}
}

// TestReceiveLeavesASilentBroker connects first to something that accepts
// connections and never answers.
func TestReceiveLeavesASilentBroker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := startBus(t)
		var dialed atomic.Int32
		client := newClient(t, func(ctx context.Context, host string) (net.Conn, error) {
			if dialed.Add(1) > 1 {
				return bus.dial(ctx, host)
			}
			ours, theirs := net.Pipe()
			t.Cleanup(func() { theirs.Close() })
			return ours, nil
		})
		sender := must(newClient(t, bus.dial).Sender(plainQueue))
		if err := sender.Send(t.Context(), queue.Message{ID: "x"}); err != nil {
			t.Fatal(err)
		}
		started := time.Now()
		r := must(client.Receiver(plainQueue))
		if got := takeOne(t, r); got.ID != "x" {
			t.Errorf("got %q, want x", got.ID)
		}
		if took := time.Since(started); took > 2*callLimit {
			t.Errorf("receive: took %v, want at most %v", took, 2*callLimit)
		}
	})
}

// TestIdleQueueStaysConnected waits for an hour on one connection.
func TestIdleQueueStaysConnected(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &cutter{under: startBus(t).dial}
		var log strings.Builder
		config := Config{ConnectionString: emulator, Dial: c.dial, Log: slog.New(slog.NewTextHandler(&log, nil))}
		client := must(New(config))
		defer client.Close(t.Context())
		r := must(client.Receiver(plainQueue))
		sender := must(client.Sender(plainQueue))
		var late sync.WaitGroup
		late.Go(func() {
			<-time.After(time.Hour)
			if err := sender.Send(t.Context(), queue.Message{ID: "late"}); err != nil {
				t.Errorf("send: got %v, want nil", err)
			}
		})
		got := takeOne(t, r)
		late.Wait()
		if got.ID != "late" || got.Count != 1 {
			t.Errorf("got %q, count %d, want late, count 1", got.ID, got.Count)
		}
		if n := c.dials(); n != 1 {
			t.Errorf("connections: got %d, want 1", n)
		}
		if log.Len() > 0 {
			t.Errorf("log: got %s, want nothing", &log)
		}
	})
}

func TestWarm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &cutter{under: startBus(t).dial}
		client := newClient(t, c.dial)
		if got := c.dials(); got != 0 {
			t.Errorf("connections before first use: got %d, want 0", got)
		}
		for _, name := range []string{plainQueue, missingQueue} {
			missing := name == missingQueue
			if err := must(client.Receiver(name)).Warm(t.Context()); (err != nil) != missing {
				t.Errorf("warm receiver on %s: got %v", name, err)
			}
			if err := must(client.Sender(name)).Warm(t.Context()); (err != nil) != missing {
				t.Errorf("warm sender on %s: got %v", name, err)
			}
		}
		if got := c.dials(); got == 0 {
			t.Errorf("connections after warming: got none")
		}
	})
}

func TestClosedClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 1)
		s.keepReceiving(t.Context())
		synctest.Wait()
		started := time.Now()
		if err := s.client.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.loop.Wait()
		if err := s.held[0].Complete(t.Context()); err == nil {
			t.Errorf("complete: got nil, want an error")
		}
		if err := s.receiver.Close(t.Context()); err != nil {
			t.Errorf("close receiver: got %v, want nil", err)
		}
		if _, err := s.client.Receiver(plainQueue); err == nil {
			t.Errorf("receiver: got nil, want an error")
		}
		if _, err := s.client.Sender(plainQueue); err == nil {
			t.Errorf("sender: got nil, want an error")
		}
		if took := time.Since(started); took > 5*time.Second {
			t.Errorf("after close: took %v, want answers at once", took)
		}
	})
}
