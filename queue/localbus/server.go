package localbus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/signmill/signmill/queue/localbus/internal/admin"
	"github.com/signmill/signmill/queue/localbus/internal/broker"
	"github.com/signmill/signmill/queue/localbus/internal/token"
)

// Server is a Service Bus namespace in memory.
type Server struct {
	config  Config // complete, never changed
	broker  *broker.Broker
	checker *token.Checker
	admin   http.Handler
	faults  faultState
	changes atomic.Int64 // updates and deletions of queues

	mu          sync.Mutex // guards all below
	closed      bool
	connections map[*connection]struct{}
	muxes       map[*mux]struct{}
	timers      map[*detachment]struct{}
	running     sync.WaitGroup // connections and those who serve them
}

// New returns a server with the queues of c. It starts nothing. Its error
// lists all faults of c.
func New(c Config) (*Server, error) {
	s := &Server{
		connections: map[*connection]struct{}{},
		muxes:       map[*mux]struct{}{},
		timers:      map[*detachment]struct{}{},
	}
	errs := []error{c.complete()}
	s.config = c
	s.checker = &token.Checker{Rules: c.Rules, Now: c.Clock.Now}
	s.faults.init(c.Faults)
	s.broker = broker.New(broker.Config{Clock: c.Clock, Random: c.Random, Changed: s.changed})
	s.checker.Lookup = func(name string) []Rule { return admin.Rules(s.broker, name) }
	s.admin = s.newAdmin()
	for _, q := range c.Queues {
		if _, err := s.broker.Create(q.Name, q.QueueProperties); err != nil {
			errs = append(errs, fmt.Errorf("queue %q: %w", q.Name, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		s.broker.Close()
		return nil, err
	}
	return s, nil
}

// errClosed is the answer of a closed server.
var errClosed = errors.New("localbus: server is closed")

// Dial returns an AMQP connection in memory. It ends with Close of either
// side; ctx matters only for the call itself.
func (s *Server) Dial(ctx context.Context) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	client, server := newPipe()
	if !s.enter() {
		return nil, errClosed
	}
	go func() {
		defer s.running.Done()
		if err := s.ServeAMQP(context.WithoutCancel(ctx), server); err != nil {
			s.config.Log.Debug("connection ended", "error", err)
		}
	}()
	return client, nil
}

// enter counts one more who runs, unless the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.running.Add(1)
	}
	return !s.closed
}

// ServeAMQP serves one connection until the peer leaves, ctx ends or the server
// is closed; then it closes nc. Its error tells how the peer broke the
// protocol; it is nil when the peer just left.
func (s *Server) ServeAMQP(ctx context.Context, nc net.Conn) error {
	c := newConnection(s, nc)
	if !s.register(c) {
		nc.Close()
		return errClosed
	}
	defer s.unregister(c)
	return c.run(ctx)
}

func (s *Server) register(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.running.Add(1)
	s.connections[c] = struct{}{}
	return true
}

func (s *Server) unregister(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.connections, c)
	s.running.Done()
}

// Close ends all connections and waits for them. The messages are gone.
// Closing twice does nothing.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for d := range s.timers {
		d.timer.Stop()
	}
	clear(s.timers)
	for m := range s.muxes {
		m.cancel()
	}
	s.mu.Unlock()
	for _, c := range s.open() {
		c.shut(forced("the server is shutting down"))
	}
	s.running.Wait()
	s.broker.Close()
	return nil
}

// open returns the present connections.
func (s *Server) open() []*connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*connection, 0, len(s.connections))
	for c := range s.connections {
		list = append(list, c)
	}
	return list
}
