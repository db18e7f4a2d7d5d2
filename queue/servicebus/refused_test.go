package servicebus

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/localbus"
)

// refuser is a broker that hangs up on every connection.
type refuser struct{}

func (*refuser) dial(context.Context, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	theirs.Close()
	return ours, nil
}

// TestReceiveDoesNotSpin receives for ten minutes from brokers that refuse it.
// The client by itself asks for some 150 connections per second.
func TestReceiveDoesNotSpin(t *testing.T) {
	t.Parallel()
	brokers := map[string]func(t *testing.T) dialFunc{
		"hangs up": func(*testing.T) dialFunc { return new(refuser).dial },
		"refuses links": func(t *testing.T) dialFunc {
			return startFaultyBus(t, localbus.Faults{RefuseLinkEvery: 1}).dial
		},
		"drops connections": func(t *testing.T) dialFunc {
			return startFaultyBus(t, localbus.Faults{DropAfterFrames: 10}).dial
		},
	}
	for name, open := range brokers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := &cutter{under: open(t)}
				r := must(newClient(t, c.dial).Receiver(plainQueue))
				const minutes = 10
				ctx, cancel := context.WithTimeout(t.Context(), minutes*time.Minute)
				defer cancel()
				if _, err := r.Receive(ctx, 1); err == nil || ctx.Err() == nil {
					t.Errorf("got %v before the deadline, want it to go on", err)
				}
				got := float64(c.dials()) / (minutes * 60)
				t.Logf("connections per second: %.2f", got)
				if got > 2 || c.dials() == 0 {
					t.Errorf("connections per second: got %.2f, want at most 2 and some", got)
				}
			})
		})
	}
}
