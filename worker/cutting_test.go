package worker_test

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// cutting is a TCP proxy in front of a broker whose connections live for 0.5 to
// 1.5 s. Then they are reset, or half open for a while and reset after that.
// Some are slow.
type cutting struct {
	broker string
	peace  chan struct{} // closed when no connection is to be cut any more

	resets, silences, slow atomic.Int64
	cut                    func() // told of each end; nil: nobody
}

// listen serves until the end of the test and returns the address.
func (c *cutting) listen(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { c.serve(ctx, conn.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() {
		stop()
		l.Close()
		open.Wait()
	})
	return l.Addr().String()
}

// pair is a client's connection and the one to the broker.
type pair struct {
	client, broker *net.TCPConn
	silent         atomic.Bool
	latency        time.Duration
}

// serve joins one connection with one to the broker, until its life is over.
func (c *cutting) serve(ctx context.Context, client *net.TCPConn) {
	defer client.Close()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", c.broker)
	if err != nil {
		return
	}
	p := &pair{client: client, broker: conn.(*net.TCPConn)}
	defer p.broker.Close()
	if rand.IntN(4) == 0 {
		p.latency = time.Duration(1+rand.IntN(10)) * time.Millisecond
		c.slow.Add(1)
	}
	ways, gone := sync.WaitGroup{}, make(chan struct{})
	ways.Go(func() { p.carry(p.broker, p.client) })
	ways.Go(func() { p.carry(p.client, p.broker) })
	go func() { ways.Wait(); close(gone) }()
	c.live(ctx, p, gone)
	<-gone
}

// live waits for the end of a connection, or brings it about.
func (c *cutting) live(ctx context.Context, p *pair, gone <-chan struct{}) {
	defer p.reset()
	select {
	case <-time.After(500*time.Millisecond + rand.N(time.Second)):
	case <-gone:
		return
	case <-c.peace:
		select {
		case <-ctx.Done():
		case <-gone:
		}
		return
	case <-ctx.Done():
		return
	}
	if rand.IntN(5) == 0 {
		c.silences.Add(1)
		p.silent.Store(true)
		select {
		case <-time.After(rand.N(3 * time.Second)):
		case <-gone:
		case <-ctx.Done():
		}
	}
	c.resets.Add(1)
	if c.cut != nil {
		c.cut()
	}
}

// reset ends both connections without a word, and throws away what is on its
// way.
func (p *pair) reset() {
	for _, conn := range []*net.TCPConn{p.client, p.broker} {
		conn.SetLinger(0)
		conn.Close()
	}
}

// carry moves bytes one way until either side ends.
func (p *pair) carry(to, from *net.TCPConn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if p.silent.Load() {
			continue
		}
		if p.latency > 0 {
			<-time.After(p.latency)
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
