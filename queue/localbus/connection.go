package localbus

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

// connection is one AMQP connection. Two goroutines work on it: one reads and
// handles frames, one writes frames and pulls deliveries out of the broker.
type connection struct {
	server *Server
	nc     net.Conn
	in     *bufio.Reader
	log    *slog.Logger
	wake   chan struct{}  // tells the writer that there is work; never closed
	gone   chan struct{}  // closed by the writer when it ends
	tasks  sync.WaitGroup // goroutines beside reader and writer

	// Set by the handshake, before the writer starts.
	peerFrame uint32        // the largest frame that the peer takes
	keepalive time.Duration // how often the peer wants to hear from us; zero: never

	inboxMu sync.Mutex // guards inbox; nothing is called while it is held
	inbox   []func()   // news from other goroutines, run by the writer under mu

	mu       sync.Mutex // guards all below and all that belongs to sessions and links
	room     sync.Cond  // out has become shorter, or closing was set
	out      []byte     // frames for the writer
	cut      int        // write so many bytes of out and hang up; zero: no
	started  bool       // the writer is there
	closing  bool       // nothing more is appended to out
	sessions map[uint16]*session
	ready    []*outlet  // links that may have something to send
	replies  []*session // sessions with dispositions to write
	grants   grants
	expiry   Timer     // fires when the first grant ends; nil: none does
	expiryAt time.Time // when expiry fires
	cbs      [2]*link  // the links to $cbs: from and to the peer
	frames   int       // frames received
	waiting  int       // bytes of responses that wait for credit
	parts    int       // bytes of messages from the peer that are not complete
	idle     Timer     // of the check for links; nil: there is none
	lastLink time.Time // when there was last seen to be a link
}

const (
	highWater = 256 << 10 // bytes of out at which links wait for the writer
	overflow  = 1 << 20   // bytes of out at which the reader waits for the writer
	lastWrite = time.Second
)

func newConnection(s *Server, nc net.Conn) *connection {
	c := &connection{
		server:   s,
		nc:       nc,
		in:       bufio.NewReaderSize(nc, int(s.config.MaxFrameSize)),
		log:      s.config.Log,
		wake:     make(chan struct{}, 1),
		gone:     make(chan struct{}),
		sessions: map[uint16]*session{},
	}
	c.room.L = &c.mu
	return c
}

// run serves the connection until the peer leaves, ctx ends or the peer breaks
// the protocol. It waits for everything that it started.
func (c *connection) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { c.shut(forced("the server is shutting down")) })
	err := c.handshake()
	if err != nil {
		c.nc.Close()
		close(c.gone)
	} else {
		c.start()
		err = c.read(ctx)
		c.shut(protocolError(err))
		<-c.gone
	}
	stop()
	cancel()
	c.tasks.Wait()
	c.release()
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) {
		return nil
	}
	return err
}

// start starts the writer.
func (c *connection) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = true
	c.tasks.Go(c.write)
	c.rouse() // it may be closing already
	if limit := c.server.config.ConnectionIdle; limit > 0 {
		c.lastLink = c.now()
		c.watchIdle(limit)
	}
}

// release gives back what the sessions hold.
func (c *connection) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sessions {
		s.free()
	}
	clear(c.sessions)
	c.runInbox()
	for _, t := range []Timer{c.expiry, c.idle} {
		if t != nil {
			t.Stop()
		}
	}
}

// shut ends the connection with a close frame, once.
func (c *connection) shut(e *amqp.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeWith(e)
}

func (c *connection) closeWith(e *amqp.Error) {
	if !c.closing {
		c.flushReplies()
		c.out = amqp.Close{Error: e}.Append(c.out)
		c.hangUp()
	}
}

// drop ends the connection without a word.
func (c *connection) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = c.out[:0]
	c.hangUp()
}

// hangUp lets the writer finish and close. The caller holds mu.
func (c *connection) hangUp() {
	c.closing = true
	c.room.Broadcast()
	if !c.started {
		c.nc.Close()
		return
	}
	c.nc.SetWriteDeadline(time.Now().Add(lastWrite))
	c.rouse()
}

// post lets f run under mu, soon. It neither blocks nor takes mu, so that the
// broker may call it at any time.
func (c *connection) post(f func()) {
	c.inboxMu.Lock()
	c.inbox = append(c.inbox, f)
	c.inboxMu.Unlock()
	c.rouse()
}

func (c *connection) runInbox() {
	c.inboxMu.Lock()
	news := c.inbox
	c.inbox = nil
	c.inboxMu.Unlock()
	for _, f := range news {
		f()
	}
}

// rouse wakes the writer.
func (c *connection) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
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
