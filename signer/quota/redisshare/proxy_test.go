package redisshare_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"
)

// proxy is a network in front of a real store, which tests may break.
type proxy struct {
	net.Listener
	to    string
	delay time.Duration // one way

	mu    sync.Mutex // guards the fields below
	down  bool
	mute  chan struct{} // closed while bytes may pass
	conns map[net.Conn]bool
	tasks sync.WaitGroup
}

func newProxy(t testing.TB, to string, delay time.Duration) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, to: to, delay: delay, mute: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(p.mute)
	p.tasks.Go(p.serve)
	t.Cleanup(func() {
		_ = l.Close()
		p.partition(false)
		p.setDown(true)
		p.tasks.Wait()
	})
	return p
}

func (p *proxy) serve() {
	for {
		client, err := p.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.to)
		if err != nil || !p.keep(client, server) {
			_ = client.Close()
			continue
		}
		p.tasks.Go(func() { p.carry(client, server) })
		p.tasks.Go(func() { p.carry(server, client) })
	}
}

// keep notes a connection, unless the store is down.
func (p *proxy) keep(client, server net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		_ = server.Close()
		return false
	}
	p.conns[client], p.conns[server] = true, true
	return true
}

// setDown breaks all connections and refuses new ones, or ends that.
func (p *proxy) setDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

// partition holds all bytes back without a word, or ends that.
func (p *proxy) partition(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if open := isClosed(p.mute); on == !open {
		return
	}
	if on {
		p.mute = make(chan struct{})
	} else {
		close(p.mute)
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (p *proxy) carry(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	type parcel struct {
		bytes []byte
		due   time.Time
	}
	parcels := make(chan parcel, 1024)
	defer close(parcels)
	p.tasks.Go(func() {
		for x := range parcels {
			after(time.Until(x.due))
			p.mu.Lock()
			mute := p.mute
			p.mu.Unlock()
			<-mute
			if _, err := to.Write(x.bytes); err != nil {
				_ = from.Close()
			}
		}
	})
	for {
		buffer := make([]byte, 16<<10)
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		parcels <- parcel{buffer[:n], time.Now().Add(p.delay)}
	}
}

// dial is a share's way through the proxy.
func (p *proxy) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", p.Addr().String())
	if err != nil {
		return nil, errors.New("the proxy is gone")
	}
	return c, nil
}
