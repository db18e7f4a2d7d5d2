// Package redistest is a Redis in memory, on a network that tests may break.
//
// What it is. A miniredis behind pipes in place of sockets, so that it lives
// inside a testing/synctest bubble and goes by the bubble's clock.
//
// How it flows. Dial fits a client's dialer. What either side writes arrives
// after a delay that the test draws, in order.
//
// Guarantees. While the store is down, connections break and dialling fails.
// While a client is cut off, its bytes wait and dialling hangs.
//
// Errors. Dial returns an error that is none of Redis's.
//
// Concurrency. All methods may be called from any goroutine of the bubble.
package redistest

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// Store is a Redis in memory.
type Store struct {
	*miniredis.Miniredis
	delay func() time.Duration // one way; nil: none

	mu      sync.Mutex // guards the fields below
	down    bool
	healed  chan struct{} // closed when all are joined again
	wires   map[*wire]bool
	severed map[string]bool // names of the clients that are cut off
}

// New returns a store that ends with the test.
func New(t testing.TB, delay func() time.Duration) *Store {
	t.Helper()
	s := &Store{Miniredis: miniredis.NewMiniRedis(), delay: delay, healed: make(chan struct{}),
		wires: map[*wire]bool{}, severed: map[string]bool{}}
	s.ClockTTL(true)
	t.Cleanup(func() {
		s.SetDown(true)
		s.Close()
	})
	return s
}

// Dialer returns the dialer of a client with a name.
func (s *Store) Dialer(name string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		if !s.passable(ctx.Done(), name) {
			return nil, ctx.Err()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.down {
			return nil, errors.New("the store is down")
		}
		server, err := s.Dial()
		if err != nil || s.delay == nil && name == "" {
			return server, err
		}
		client, relay := net.Pipe()
		w := &wire{store: s, name: name, client: relay, server: server, over: make(chan struct{})}
		s.wires[w] = true
		w.run()
		return client, nil
	}
}

// SetDown takes the store away with all connections, or brings it back.
func (s *Store) SetDown(down bool) {
	s.mu.Lock()
	s.down = down
	var wires []*wire
	for w := range s.wires {
		wires = append(wires, w)
	}
	s.mu.Unlock()
	for _, w := range wires {
		if down {
			w.close()
		}
	}
}

// Sever cuts a client off, without a word.
func (s *Store) Sever(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.severed[name] = true
}

// Heal joins all clients again.
func (s *Store) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.severed)
	close(s.healed)
	s.healed = make(chan struct{})
}

// passable waits until a client is not cut off, or over is closed.
func (s *Store) passable(over <-chan struct{}, name string) bool {
	for {
		s.mu.Lock()
		severed, healed := s.severed[name], s.healed
		s.mu.Unlock()
		if !severed {
			return true
		}
		select {
		case <-healed:
		case <-over:
			return false
		}
	}
}
