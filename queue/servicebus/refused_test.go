package servicebus

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// refuser is a broker that hangs up on every connection.
type refuser struct{ dialed atomic.Int64 }

func (r *refuser) dial(context.Context, string) (net.Conn, error) {
	r.dialed.Add(1)
	ours, theirs := net.Pipe()
	theirs.Close()
	return ours, nil
}

// TestReceiveDoesNotSpin receives for ten minutes from a broker that hangs up
// on every connection.
func TestReceiveDoesNotSpin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var broker refuser
		c, err := New(Config{ConnectionString: emulator, Dial: broker.dial})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(context.WithoutCancel(t.Context()))
		r, err := c.Receiver("jobs")
		if err != nil {
			t.Fatal(err)
		}
		const minutes = 10
		ctx, cancel := context.WithTimeout(t.Context(), minutes*time.Minute)
		defer cancel()
		if _, err := r.Receive(ctx, 1); err == nil || ctx.Err() == nil {
			t.Errorf("got %v before the deadline, want it to go on", err)
		}
		got := float64(broker.dialed.Load()) / (minutes * 60)
		t.Logf("connections per second: %.2f", got)
		if got > 2 || got < 0.05 {
			t.Errorf("connections per second: got %.2f, want 0.05 to 2", got)
		}
	})
}
