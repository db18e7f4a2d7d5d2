package servicebus

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/signmill/signmill/queue"
)

// endOfNoSession is an AMQP frame that ends a session which was never begun
// (part 2, section 2.7.8). The broker ends the connection with "not allowed".
var endOfNoSession = []byte{0, 0, 0, 12, 2, 0, 0x30, 0x39, 0, 0x53, 0x17, 0x45}

// offend has the broker end the present connections in anger.
func (c *cutter) offend(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.open {
		if _, err := conn.Write(endOfNoSession); err != nil {
			t.Fatal(err)
		}
	}
	c.open = nil
}

// TestLinksOutliveAConnectionThatWasRefused has the broker end a connection for
// a reason that the client takes for a refusal of each call: sender and locks
// must work again on the next connection.
func TestLinksOutliveAConnectionThatWasRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 2)
		ctx, cancel := context.WithCancel(t.Context())
		s.keepReceiving(ctx)
		sender := must(s.client.Sender(uniqueQueue))
		if err := sender.Send(ctx, queue.Message{ID: "before"}); err != nil {
			t.Fatal(err)
		}
		if err := s.receiver.Warm(ctx); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.offend(t)
		synctest.Wait()
		if err := sender.Send(ctx, queue.Message{ID: "after"}); err != nil {
			t.Errorf("send: got %v, want nil", err)
		}
		if _, err := s.held[0].Renew(ctx); err != nil {
			if _, err = s.held[0].Renew(ctx); err != nil {
				t.Errorf("second renewal: got %v, want nil", err)
			}
		}
		s.settleAll(t, completeOne)
		s.wantNoneAgain(ctx, t)
		cancel()
		s.loop.Wait()
	})
}
