package localbus_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

// scripted is a connection whose peer sends what it is told to, as fast as it is
// read, and takes so many writes.
type scripted struct {
	net.Conn
	in     io.Reader
	writes int           // how many succeed; the next one blocks until Close
	onLast func()        // called within the last one that succeeds
	closed chan struct{} // closed by Close
	once   sync.Once
	read   int
}

func (c *scripted) Read(b []byte) (int, error) {
	n, err := io.ReadFull(c.in, b)
	c.read += n
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return n, err
}

func (c *scripted) Write(b []byte) (int, error) {
	if c.writes == 0 {
		<-c.closed
		return 0, net.ErrClosed
	}
	if c.writes--; c.writes == 0 && c.onLast != nil {
		c.onLast()
	}
	return len(b), nil
}

func (c *scripted) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

func (*scripted) SetDeadline(time.Time) error      { return nil }
func (*scripted) SetReadDeadline(time.Time) error  { return nil }
func (*scripted) SetWriteDeadline(time.Time) error { return nil }

// opening is what a peer without SASL sends first.
func opening() []byte {
	return amqp.Open{ContainerID: "peer"}.Append([]byte(amqp.ProtocolAMQP))
}

// repeated reads as the same bytes again and again.
type repeated struct {
	b  []byte
	at int
}

func (r *repeated) Read(b []byte) (n int, _ error) {
	for n < len(b) {
		k := copy(b[n:], r.b[r.at:])
		n, r.at = n+k, (r.at+k)%len(r.b)
	}
	return n, nil
}

// TestFloodOfAPeerThatDoesNotRead sends frames that want answers, so that the
// buffer of the server always ends within a frame.
func TestFloodOfAPeerThatDoesNotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const enough = 64 << 20
		flow := amqp.Flow{NextIncomingID: amqp.Some[uint32](1 << 30), IncomingWindow: 1 << 30, NextOutgoingID: 1 << 30, OutgoingWindow: 1 << 30, Echo: true}.Append(nil, 0)
		start := amqp.Begin{}.Append(opening(), 0)
		start = append(start, flow[:10]...)
		c := &scripted{
			in:     io.MultiReader(bytes.NewReader(start), io.LimitReader(&repeated{b: flow, at: 10}, enough)),
			writes: 2, closed: make(chan struct{}),
		}
		if rest := (64 << 10) % len(flow); rest < amqp.HeaderSize {
			t.Fatalf("the buffer ends %d bytes into a frame", rest)
		}
		s := newServer(t, openConfig("jobs"))
		var serving sync.WaitGroup
		serving.Go(func() { s.ServeAMQP(t.Context(), c) })
		synctest.Wait()
		if c.read > 4<<20 {
			t.Errorf("%d bytes were read from a peer that does not read", c.read)
		}
		c.Close()
		s.DropConnections()
		serving.Wait()
	})
}

func TestPeerThatDoesNotReadIsHungUpOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := openPeer(t, openServer(t))
		start := time.Now()
		p.nc.SetDeadline(start.Add(24 * time.Hour))
		echo := bytes.Repeat(amqp.Flow{NextIncomingID: amqp.Some[uint32](1), Echo: true}.Append(nil, 0), 100)
		var err error
		for err == nil {
			_, err = p.nc.Write(echo)
		}
		if after := time.Since(start); errors.Is(err, os.ErrDeadlineExceeded) || after > 10*time.Minute {
			t.Errorf("after %v: %v", after, err)
		}
	})
}

func TestSilenceInsideTheHandshake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := rawPeer(t, newServer(t, localbus.Config{}))
		start := time.Now()
		p.nc.SetDeadline(start.Add(time.Hour))
		p.write([]byte(amqp.ProtocolSASL))
		p.expectHeader(amqp.ProtocolSASL)
		p.expect(amqp.CodeSASLMechanisms)
		p.expectEOF()
		if after := time.Since(start); after > time.Minute {
			t.Errorf("the connection lived for %v", after)
		}
	})
}

// TestShutdownAtTheEndOfTheHandshake ends the context while the answer to open
// is being written and more frames have arrived.
func TestShutdownAtTheEndOfTheHandshake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := &scripted{in: bytes.NewReader(amqp.Begin{}.Append(opening(), 0)), writes: 2, closed: make(chan struct{})}
		c.onLast = func() {
			cancel()
			<-c.closed
		}
		if err := newServer(t, openConfig("jobs")).ServeAMQP(ctx, c); err != nil {
			t.Error(err)
		}
	})
}

// TestNothingFollowsTheClose ends the context while the writer is busy and a
// link waits for a session.
func TestNothingFollowsTheClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newServer(t, localbus.Config{OpenAccess: true, Queues: []localbus.Queue{
			{Name: "jobs", QueueProperties: localbus.QueueProperties{RequiresSession: true}},
		}})
		client, server := net.Pipe()
		var serving sync.WaitGroup
		serving.Go(func() { s.ServeAMQP(ctx, server) })
		p := newPeer(t, client).greet()
		p.attachSession(0, nil, nil)
		p.write(amqp.Flow{Echo: true}.Append(nil, 0))
		synctest.Wait()
		cancel()
		synctest.Wait()
		p.expect(amqp.CodeFlow)
		p.expectError(amqp.CodeClose, "amqp:connection:forced")
		if _, err := p.in.ReadByte(); err != io.EOF {
			t.Errorf("after the close: error %v, want EOF", err)
		}
		serving.Wait()
	})
}

// TestHastyKeepalive asks for a frame each half millisecond.
func TestHastyKeepalive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := rawPeer(t, openServer(t))
		p.write(amqp.Open{ContainerID: "peer", IdleTimeout: 1}.Append([]byte(amqp.ProtocolAMQP)))
		p.expectHeader(amqp.ProtocolAMQP)
		p.expect(amqp.CodeOpen)
		p.nc.SetDeadline(time.Now().Add(time.Second))
		b, _ := io.ReadAll(p.in)
		if n := len(b) / amqp.HeaderSize; n < 1 || n > 100 {
			t.Errorf("%d empty frames in a second", n)
		}
	})
}
