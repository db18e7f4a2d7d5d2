package localbus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
	"github.com/signmill/signmill/queue/localbus/internal/broker"
	"github.com/signmill/signmill/queue/localbus/internal/token"
)

// Config describes a server. The zero value is a namespace without queues that
// accepts the official emulator's key.
type Config struct {
	Queues       []Queue       // the queues at the start; nil: none
	Rules        []Rule        // shared access rules; nil: RootManageSharedAccessKey with key SAS_KEY_VALUE and all rights
	OpenAccess   bool          // links need no token, and the SASL layer may be left out
	Clock        Clock         // time of messages, locks and tokens; nil: the wall clock
	Random       io.Reader     // source of lock tokens and message ids; nil: crypto/rand
	Faults       Faults        // zero: none
	Log          *slog.Logger  // nil: nothing is logged
	MaxFrameSize uint32        // bytes of a frame that we take, 512 to 1,048,576; zero: 65,536
	IdleTimeout  time.Duration // silence that we tell peers to stay below; a connection ends after twice that; zero: 4 min
	LinkIdle     time.Duration // a link unused for so long is detached; zero: never
}

// Queue is a queue with its properties.
type Queue struct {
	Name string
	QueueProperties
}

type (
	// QueueProperties configure a queue. The zero value has the defaults of
	// Service Bus.
	QueueProperties = broker.Properties

	// Clock tells the time and calls back.
	Clock = broker.Clock

	// Timer is one pending call of a Clock.
	Timer = broker.Timer
)

// Server is a Service Bus namespace in memory.
type Server struct {
	config  Config // complete, never changed
	broker  *broker.Broker
	checker *token.Checker
	faults  faultState

	mu          sync.Mutex // guards all below
	closed      bool
	connections map[*connection]struct{}
	timers      map[*detachment]struct{}
	running     sync.WaitGroup // connections and those who serve them
}

// New returns a server with the queues of c. It starts nothing. Its error
// lists all faults of c.
func New(c Config) (*Server, error) {
	s := &Server{connections: map[*connection]struct{}{}, timers: map[*detachment]struct{}{}}
	errs := []error{c.complete()}
	s.config = c
	s.checker = &token.Checker{Rules: c.Rules, Now: c.Clock.Now}
	s.faults.init(c.Faults)
	s.broker = broker.New(broker.Config{Clock: c.Clock, Random: c.Random, Changed: s.changed})
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

// complete fills in the defaults and reports what is out of range.
func (c *Config) complete() error {
	if c.Rules == nil {
		c.Rules = defaultRules()
	}
	if c.Clock == nil {
		c.Clock = wallClock{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.MaxFrameSize == 0 {
		c.MaxFrameSize = 64 << 10
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = 4 * time.Minute
	}
	var errs []error
	if c.MaxFrameSize < 512 || c.MaxFrameSize > 1<<20 {
		errs = append(errs, fmt.Errorf("max frame size %d: must be 512 to 1,048,576 bytes", c.MaxFrameSize))
	}
	if c.IdleTimeout < 0 || c.LinkIdle < 0 {
		errs = append(errs, errors.New("idle times must not be negative"))
	}
	for i, r := range c.Rules {
		if r.Name == "" || r.Key == "" || r.Rights&token.All == 0 {
			errs = append(errs, fmt.Errorf("rule %d (%q): name, key and rights are needed", i, r.Name))
		}
	}
	return errors.Join(errs...)
}

// wallClock is the clock of package time.
type wallClock struct{}

func (wallClock) Now() time.Time                            { return time.Now() }
func (wallClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }

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

// Serve takes connections from l until ctx ends or the server is closed, then
// closes l and returns nil once the connections are done.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var served sync.WaitGroup
	defer served.Wait()
	for {
		nc, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("accept connection: %w", err)
		}
		served.Go(func() {
			if err := s.ServeAMQP(ctx, nc); err != nil {
				s.config.Log.Debug("connection ended", "peer", nc.RemoteAddr().String(), "error", err)
			}
		})
	}
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

// DropConnections ends all present connections without a word, as a broken
// network would. It does not wait for them.
func (s *Server) DropConnections() {
	for _, c := range s.open() {
		c.drop()
	}
}

// LoseLocks ends the locks of all messages of a queue that are with clients,
// as if they had expired, and returns how many there were. The queue's
// dead-letter queue is another queue.
func (s *Server) LoseLocks(queue string) int {
	n := 0
	for _, c := range s.open() {
		n += c.loseLocks(queue)
	}
	return n
}

func (c *connection) loseLocks(path string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, s := range c.sessions {
		for _, u := range s.unsettled {
			q, ok := u.outlet.node.(*queueSource)
			if ok && strings.EqualFold(q.queue.Path(), pathOf(path)) && q.queue.LoseLock(broker.Token(u.token)) == nil {
				n++
			}
		}
	}
	return n
}

// detachDelay lies between a change of a queue and the end of its links, so
// that the answer to the request for the change arrives first.
const detachDelay = 250 * time.Millisecond

// detachment is a pending end of links.
type detachment struct{ timer Timer }

// changed is called by the broker when a queue was updated or deleted.
func (s *Server) changed(ch broker.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	d := &detachment{}
	s.timers[d] = struct{}{}
	d.timer = s.config.Clock.AfterFunc(detachDelay, func() { s.detachLinks(d, ch) })
}

func (s *Server) detachLinks(d *detachment, ch broker.Change) {
	s.mu.Lock()
	delete(s.timers, d)
	s.mu.Unlock()
	why := "was updated"
	if ch.Deleted {
		why = "was deleted"
	}
	e := &amqp.Error{Condition: condDetachForced, Description: "The messaging entity " + ch.Name + " " + why + "."}
	for _, c := range s.open() {
		c.post(func() { c.detachEntity(strings.ToLower(ch.Name), e) })
	}
}

// detachEntity ends the links to a queue and to what lies under it.
func (c *connection) detachEntity(name string, e *amqp.Error) {
	for _, s := range c.sessions {
		for _, l := range s.links {
			path := strings.ToLower(l.path)
			if path == name || strings.HasPrefix(path, name+"/$") {
				l.detachWith(e)
			}
		}
	}
}

func (c *connection) now() time.Time { return c.server.config.Clock.Now() }

// linkNamed finds a live link by its name, nil if there is none.
func (c *connection) linkNamed(name string) *link {
	if name == "" {
		return nil
	}
	for _, s := range c.sessions {
		for _, l := range s.links {
			if l.attach.Name == name && !l.detached {
				return l
			}
		}
	}
	return nil
}

// touch counts a request as use of the link that it belongs to.
func (c *connection) touch(name string) {
	if l := c.linkNamed(name); l != nil {
		l.lastUse = c.now()
	}
}
