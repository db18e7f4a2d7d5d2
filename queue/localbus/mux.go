package localbus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Limits of connections that have not said yet what they want.
const (
	sniffTime  = 10 * time.Second // until the first byte, TLS included
	maxUnknown = 128              // such connections at a time; more wait to be accepted

	acceptPause = 100 * time.Millisecond // after an error that passes
)

// mux serves one listener. It tells the protocol of a connection from its
// first byte: all clients speak first.
type mux struct {
	server *Server
	cancel context.CancelFunc // ends the listener and all connections
	web    *http.Server
	hand   *handoff       // listener of the web server
	slots  chan struct{}  // one for each connection that is not known yet
	served sync.WaitGroup // goroutines and web connections
}

// Serve takes connections from l until ctx ends or the server is closed; then
// it closes l and returns nil once the connections are done. One port takes
// AMQP and HTTP, and both inside TLS if the configuration has a certificate.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	defer l.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := newMux(ctx, s, cancel)
	if !s.enterMux(m) {
		return errClosed
	}
	defer s.leaveMux(m)
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	m.served.Go(func() { _ = m.web.Serve(m.hand) }) // ends with hand
	err := m.accept(ctx, l)
	m.end(ctx)
	return err
}

func newMux(ctx context.Context, s *Server, cancel context.CancelFunc) *mux {
	return &mux{
		server: s,
		cancel: cancel,
		hand:   newHandoff(),
		slots:  make(chan struct{}, maxUnknown),
		web: &http.Server{
			Handler:           s.Handler(),
			ReadHeaderTimeout: sniffTime,
			ReadTimeout:       3 * sniffTime,
			WriteTimeout:      3 * sniffTime,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    64 << 10,
			ErrorLog:          slog.NewLogLogger(s.config.Log.Handler(), slog.LevelDebug),
			BaseContext:       func(net.Listener) context.Context { return ctx },
			ConnContext:       markSecure,
		},
	}
}

func (s *Server) enterMux(m *mux) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.running.Add(1)
		s.muxes[m] = struct{}{}
	}
	return !s.closed
}

func (s *Server) leaveMux(m *mux) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.muxes, m)
	s.running.Done()
}

// accept takes connections until the listener is closed.
func (m *mux) accept(ctx context.Context, l net.Listener) error {
	for {
		select {
		case m.slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		nc, err := l.Accept()
		if err != nil {
			<-m.slots
			if err = m.await(ctx, err); err == nil {
				continue
			}
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("accept connection: %w", err)
		}
		m.served.Go(func() {
			if err := m.route(ctx, nc); err != nil {
				m.server.config.Log.Debug("connection ended", "peer", nc.RemoteAddr().String(), "error", err)
			}
		})
	}
}

// await waits a moment after an error that passes: a lack of descriptors or
// memory, or a client that has left already. It returns any other error.
func (m *mux) await(ctx context.Context, err error) error {
	passing := []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED}
	if !slices.ContainsFunc(passing, func(e error) bool { return errors.Is(err, e) }) {
		return err
	}
	m.server.config.Log.Warn("accept failed", "error", err)
	timer := time.NewTimer(acceptPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}

// end closes all connections and waits for them. Requests that are being
// answered have a moment to finish.
func (m *mux) end(ctx context.Context) {
	m.cancel()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrite)
	defer cancel()
	if m.web.Shutdown(ctx) != nil {
		m.web.Close()
	}
	_ = m.hand.Close()
	m.served.Wait()
}

// route finds out what a connection speaks and serves it. Web connections go
// on without this goroutine.
func (m *mux) route(ctx context.Context, nc net.Conn) error {
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	c, first, err := m.sniff(ctx, nc)
	stop()
	<-m.slots
	if err != nil {
		nc.Close()
		return err
	}
	if first == 'A' { // AMQP; no HTTP method in use begins like that
		return m.server.ServeAMQP(ctx, c)
	}
	_, secure := c.Conn.(*tls.Conn)
	m.served.Add(1)
	m.hand.put(&webConn{peekedConn: c, secure: secure, done: sync.OnceFunc(m.served.Done)})
	return nil
}

// sniff returns the connection, inside TLS if the client wants that, with its
// first byte.
func (m *mux) sniff(ctx context.Context, nc net.Conn) (*peekedConn, byte, error) {
	nc.SetDeadline(time.Now().Add(sniffTime))
	defer nc.SetDeadline(time.Time{})
	c, first, err := peek(nc)
	if err != nil || first != recordHandshake {
		return c, first, err
	}
	if m.server.config.TLS == nil {
		return nil, 0, errors.New("a TLS client, but there is no certificate")
	}
	inner := tls.Server(c, m.server.config.TLS)
	if err := inner.HandshakeContext(ctx); err != nil {
		return nil, 0, fmt.Errorf("tls handshake: %w", err)
	}
	return peek(inner)
}

// recordHandshake is the first byte of a TLS connection (RFC 8446, section 5.1).
const recordHandshake = 22

// peek reads the first byte and puts it back.
func peek(nc net.Conn) (*peekedConn, byte, error) {
	head := make([]byte, 1)
	if _, err := io.ReadFull(nc, head); err != nil {
		return nil, 0, fmt.Errorf("first byte: %w", err)
	}
	return &peekedConn{Conn: nc, head: head}, head[0], nil
}

// peekedConn is a connection of which the first bytes were read.
type peekedConn struct {
	net.Conn
	head []byte // still to be read, by one reader
}

// Read reads the head first.
func (c *peekedConn) Read(b []byte) (int, error) {
	if len(c.head) == 0 {
		return c.Conn.Read(b)
	}
	n := copy(b, c.head)
	c.head = c.head[n:]
	return n, nil
}

// webConn is a connection of the web server.
type webConn struct {
	*peekedConn
	secure bool   // inside TLS
	done   func() // called at the first Close
}

// Close closes the connection.
func (c *webConn) Close() error {
	defer c.done()
	return c.peekedConn.Close()
}

// secureKey marks the contexts of requests inside TLS.
type secureKey struct{}

func markSecure(ctx context.Context, nc net.Conn) context.Context {
	return context.WithValue(ctx, secureKey{}, nc.(*webConn).secure)
}

// handoff is a listener of connections that were accepted elsewhere.
type handoff struct {
	conns chan net.Conn
	gone  chan struct{} // closed by Close
	close func()
}

func newHandoff() *handoff {
	h := &handoff{conns: make(chan net.Conn), gone: make(chan struct{})}
	h.close = sync.OnceFunc(func() { close(h.gone) })
	return h
}

// put hands a connection over, or closes it after Close.
func (h *handoff) put(nc net.Conn) {
	select {
	case h.conns <- nc:
	case <-h.gone:
		nc.Close()
	}
}

// Accept waits for a connection.
func (h *handoff) Accept() (net.Conn, error) {
	select {
	case nc := <-h.conns:
		return nc, nil
	case <-h.gone:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and closes what comes later.
func (h *handoff) Close() error {
	h.close()
	return nil
}

// Addr returns a name: this listener has no address.
func (h *handoff) Addr() net.Addr { return handoffAddr{} }

type handoffAddr struct{}

// Network implements net.Addr.
func (handoffAddr) Network() string { return "handoff" }

// String implements net.Addr.
func (handoffAddr) String() string { return "localbus" }
