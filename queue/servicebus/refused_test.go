package servicebus

import (
	"bytes"
	"context"
	"net"
	"sync/atomic"
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

// counted counts the tokens that are put on a connection.
type counted struct {
	net.Conn
	tokens *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	c.tokens.Add(int64(bytes.Count(p, []byte("put-token"))))
	return c.Conn.Write(p)
}

// TestReceiveDoesNotSpin receives for an hour from brokers that refuse it. The
// client by itself asks for some 150 connections and 290 tokens per second.
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
				var tokens atomic.Int64
				under := open(t)
				c := &cutter{under: func(ctx context.Context, host string) (net.Conn, error) {
					conn, err := under(ctx, host)
					return counted{conn, &tokens}, err
				}}
				r := must(newClient(t, c.dial).Receiver(plainQueue))
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				var dials, puts [3]float64 // each written once
				for i, at := range []time.Duration{2 * time.Minute, 4 * time.Minute, time.Hour} {
					time.AfterFunc(at, func() {
						dials[i], puts[i] = float64(c.dials()), float64(tokens.Load())
					})
				}
				if _, err := r.Receive(ctx, 1); err == nil || ctx.Err() == nil {
					t.Errorf("got %v before the deadline, want it to go on", err)
				}
				synctest.Wait()
				first, then := dials[0]/120, (dials[2]-dials[1])/(56*60)
				t.Logf("connections per second: %.2f, and %.2f after the first minutes; tokens: %.2f and %.2f", first, then, puts[0]/120, (puts[2]-puts[1])/(56*60))
				if first > 2 || then > 0.25 || dials[0] == 0 {
					t.Errorf("connections per second: got %.2f and %.2f, want at most 2, and 0.25 after the first minutes", first, then)
				}
				if puts[0]/120 > 4 || (puts[2]-puts[1])/(56*60) > 0.5 {
					t.Errorf("tokens: got %v, want at most two for each connection", puts)
				}
			})
		})
	}
}
