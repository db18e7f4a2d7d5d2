package localbus

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

const pipeBuffer = 64 << 10 // bytes on the way in one direction

// newPipe returns the two ends of a connection in memory. Unlike net.Pipe it
// buffers, so that both ends may write before they read.
func newPipe() (client, server net.Conn) {
	up, down := newStream(), newStream()
	return &pipeEnd{in: down, out: up}, &pipeEnd{in: up, out: down}
}

// stream is one direction of a pipe.
type stream struct {
	mu      sync.Mutex // guards all below
	changed sync.Cond
	data    []byte
	closed  bool // no more will be written
	gone    bool // no more will be read
	read    deadline
	write   deadline
}

// deadline is a moment that wakes a stream.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func newStream() *stream {
	s := &stream{}
	s.changed.L = &s.mu
	return s
}

// set changes a deadline of s.
func (s *stream) set(d *deadline, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = at
	if wait := time.Until(at); !at.IsZero() && wait > 0 {
		d.timer = time.AfterFunc(wait, s.wake)
	}
	s.changed.Broadcast()
}

func (s *stream) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed.Broadcast()
}

func (s *stream) take(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.gone:
			return 0, io.ErrClosedPipe
		case s.read.passed():
			return 0, os.ErrDeadlineExceeded
		case len(s.data) > 0:
			n := copy(b, s.data)
			s.data = s.data[:copy(s.data, s.data[n:])]
			s.changed.Broadcast()
			return n, nil
		case s.closed:
			return 0, io.EOF
		}
		s.changed.Wait()
	}
}

func (s *stream) put(b []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(b) > 0 {
		switch room := pipeBuffer - len(s.data); {
		case s.closed || s.gone:
			return n, io.ErrClosedPipe
		case s.write.passed():
			return n, os.ErrDeadlineExceeded
		case room > 0:
			k := min(room, len(b))
			s.data = append(s.data, b[:k]...)
			b, n = b[k:], n+k
			s.changed.Broadcast()
		default:
			s.changed.Wait()
		}
	}
	return n, nil
}

// shut marks one side of s as over and stops its timers.
func (s *stream) shut(side *bool, d *deadline) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*side = true
	if d.timer != nil {
		d.timer.Stop()
	}
	s.changed.Broadcast()
}

// pipeEnd is one end of a pipe.
type pipeEnd struct{ in, out *stream }

// Read implements net.Conn.
func (p *pipeEnd) Read(b []byte) (int, error) {
	n, err := p.in.take(b)
	return n, wrapOp("read", err)
}

// Write implements net.Conn.
func (p *pipeEnd) Write(b []byte) (int, error) {
	n, err := p.out.put(b)
	return n, wrapOp("write", err)
}

// wrapOp makes an error look like that of a network connection: clients tell
// a broken connection by its type.
func wrapOp(op string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return &net.OpError{Op: op, Net: pipeAddr{}.Network(), Addr: pipeAddr{}, Err: err}
}

// Close implements net.Conn.
func (p *pipeEnd) Close() error {
	p.in.shut(&p.in.gone, &p.in.read)
	p.out.shut(&p.out.closed, &p.out.write)
	return nil
}

// SetReadDeadline implements net.Conn.
func (p *pipeEnd) SetReadDeadline(t time.Time) error {
	p.in.set(&p.in.read, t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (p *pipeEnd) SetWriteDeadline(t time.Time) error {
	p.out.set(&p.out.write, t)
	return nil
}

// SetDeadline implements net.Conn.
func (p *pipeEnd) SetDeadline(t time.Time) error {
	p.in.set(&p.in.read, t)
	p.out.set(&p.out.write, t)
	return nil
}

// LocalAddr implements net.Conn.
func (p *pipeEnd) LocalAddr() net.Addr { return pipeAddr{} }

// RemoteAddr implements net.Conn.
func (p *pipeEnd) RemoteAddr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

// Network implements net.Addr.
func (pipeAddr) Network() string { return "memory" }

// String implements net.Addr.
func (pipeAddr) String() string { return "localbus" }
