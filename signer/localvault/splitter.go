package localvault

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// splitter sorts the connections of one listener by their first byte.
type splitter struct {
	listener      net.Listener
	plain, secure *branch
}

func newSplitter(l net.Listener) *splitter {
	return &splitter{listener: l, plain: newBranch(l.Addr()), secure: newBranch(l.Addr())}
}

// run accepts until the listener closes, and waits for the sorting to end. It
// returns nil if the context has ended.
func (sp *splitter) run(ctx context.Context) error {
	var sorting sync.WaitGroup
	defer sorting.Wait()
	for {
		conn, err := sp.listener.Accept()
		if ctx.Err() != nil {
			if conn != nil {
				conn.Close()
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		sorting.Go(func() { sp.sort(ctx, conn) })
	}
}

// tlsHandshake is the first byte of a TLS connection (RFC 8446 section 5.1).
const tlsHandshake = 22

// sort reads a byte and hands the connection on. It owns it until then.
func (sp *splitter) sort(ctx context.Context, conn net.Conn) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	var first [1]byte
	err := conn.SetReadDeadline(time.Now().Add(sniffTimeout))
	if err == nil {
		_, err = io.ReadFull(conn, first[:])
	}
	if err == nil {
		err = conn.SetReadDeadline(time.Time{})
	}
	if err != nil {
		conn.Close()
		return
	}
	to := sp.plain
	if first[0] == tlsHandshake {
		to = sp.secure
	}
	select {
	case to.conns <- &peeked{Conn: conn, first: first[:]}:
	case <-to.done:
		conn.Close()
	case <-ctx.Done():
		conn.Close()
	}
}

// branch is a listener for the connections of one kind.
type branch struct {
	addr  net.Addr
	conns chan net.Conn // never closed
	done  chan struct{} // closed by Close
	once  sync.Once
}

func newBranch(addr net.Addr) *branch {
	return &branch{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

// Accept waits for a connection of this kind.
func (b *branch) Accept() (net.Conn, error) {
	select {
	case conn := <-b.conns:
		return conn, nil
	case <-b.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (b *branch) Close() error {
	b.once.Do(func() { close(b.done) })
	return nil
}

// Addr is that of the port they share.
func (b *branch) Addr() net.Addr { return b.addr }

// peeked gives back the byte that was read.
type peeked struct {
	net.Conn
	first []byte // used by one reader at a time, as net/http reads
}

// Read returns the first byte, then what the connection brings.
func (p *peeked) Read(b []byte) (int, error) {
	if len(p.first) == 0 || len(b) == 0 {
		return p.Conn.Read(b)
	}
	n := copy(b, p.first)
	p.first = p.first[n:]
	return n, nil
}
