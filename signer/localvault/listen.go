package localvault

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	sniffTimeout = 10 * time.Second // for the first byte of a connection
	idleTimeout  = 2 * time.Minute
	stopTimeout  = 2 * time.Second // for answers under way when the server stops
)

// Serve answers on a listener until the context ends, then closes it, ends
// what still waits, and returns nil once all answers are done. Both HTTPS (with
// HTTP/2) and plain HTTP are spoken on the port; the first byte tells which. It
// returns the error of the listener if that fails first.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sp := newSplitter(listener)
	g := &gate{handler: s}
	plain, secure := s.httpServer(ctx, g), s.httpServer(ctx, g)
	secure.TLSConfig = &tls.Config{Certificates: []tls.Certificate{s.identity.leaf}, MinVersion: tls.VersionTLS12}
	var loops sync.WaitGroup
	failed := make(chan error, 3) // each loop sends one; nobody closes it
	loops.Go(func() { failed <- plain.Serve(sp.plain) })
	loops.Go(func() { failed <- secure.ServeTLS(sp.secure, "", "") })
	loops.Go(func() { failed <- sp.run(ctx) })

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	cancel()
	stopCtx, stop := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer stop()
	closeErr := errors.Join(listener.Close(), stopServer(stopCtx, plain), stopServer(stopCtx, secure))
	loops.Wait()
	g.shut()
	if err != nil {
		return fmt.Errorf("serve vault on %s: %w", listener.Addr(), err)
	}
	if closeErr != nil && !errors.Is(closeErr, net.ErrClosed) {
		return fmt.Errorf("stop vault on %s: %w", listener.Addr(), closeErr)
	}
	return nil
}

// stopServer lets answers finish, then closes what is left.
func stopServer(ctx context.Context, server *http.Server) error {
	if err := server.Shutdown(ctx); err != nil {
		return server.Close()
	}
	return nil
}

func (s *Server) httpServer(ctx context.Context, handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: sniffTimeout,
		ReadTimeout:       time.Minute,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxBody,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// gate lets requests through until it is shut.
type gate struct {
	handler http.Handler
	mu      sync.RWMutex // read-held by each request under way
}

// ServeHTTP refuses by ending the connection.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.mu.TryRLock() {
		panic(http.ErrAbortHandler)
	}
	defer g.mu.RUnlock()
	g.handler.ServeHTTP(w, r)
}

// shut waits for the requests under way and lets no more in.
func (g *gate) shut() { g.mu.Lock() }
