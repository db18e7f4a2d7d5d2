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

// read handles frames until the connection ends.
func (c *connection) read(ctx context.Context) error {
	for {
		if !c.buffered() {
			c.caughtUp()
		}
		if idle := c.server.config.IdleTimeout; idle > 0 {
			c.nc.SetReadDeadline(time.Now().Add(2 * idle))
		}
		h, body, err := c.readFrame()
		if err != nil {
			return err
		}
		if h.Type != amqp.FrameAMQP {
			return &amqp.Error{Condition: condFraming, Description: "SASL frame after the SASL layer"}
		}
		if len(body) > 0 {
			if done, err := c.handle(ctx, h.Channel, body); done || err != nil {
				return err
			}
		}
		c.in.Discard(int(h.Size))
	}
}

// buffered reports whether the next frame is there whole, or is none.
func (c *connection) buffered() bool {
	n := c.in.Buffered()
	if n < amqp.HeaderSize {
		return false
	}
	head, _ := c.in.Peek(amqp.HeaderSize)
	h, err := amqp.ParseFrameHeader(head, c.server.config.MaxFrameSize)
	return err != nil || n >= int(h.Size)
}

// readFrame returns the next frame. The body lies in the reader's buffer and
// is to be discarded by the caller.
func (c *connection) readFrame() (amqp.FrameHeader, []byte, error) {
	head, err := c.in.Peek(amqp.HeaderSize)
	if err != nil {
		return amqp.FrameHeader{}, nil, err
	}
	h, err := amqp.ParseFrameHeader(head, c.server.config.MaxFrameSize)
	if err != nil {
		return h, nil, err
	}
	whole, err := c.in.Peek(int(h.Size))
	if err != nil {
		return h, nil, err
	}
	return h, whole[h.Offset:], nil
}

// caughtUp sends the answers to all frames that have been read, and waits
// while the peer does not take them.
func (c *connection) caughtUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flushReplies()
	c.rouse()
	for len(c.out) > overflow && !c.closing {
		c.room.Wait()
	}
}

func (c *connection) flushReplies() {
	for _, s := range c.replies {
		s.flushReplies()
	}
	c.replies = c.replies[:0]
}

// handle works on one frame; done is true after the peer's close.
func (c *connection) handle(ctx context.Context, channel uint16, body []byte) (done bool, err error) {
	code, fields, payload, err := amqp.Parse(body)
	if err != nil {
		return false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return true, nil
	}
	if c.frames++; c.server.faults.dropNow(c.frames) {
		c.out = c.out[:0]
		c.hangUp()
		return true, nil
	}
	switch code {
	case amqp.CodeClose:
		return true, nil
	case amqp.CodeBegin:
		return false, c.begin(channel, fields)
	}
	s := c.sessions[channel]
	if s == nil {
		return false, &amqp.Error{Condition: condNotAllowed, Description: "frame on a channel without a session"}
	}
	if code == amqp.CodeEnd {
		c.end(s)
		return false, nil
	}
	if !s.ended {
		err = s.handle(ctx, code, fields, payload)
	}
	return false, err
}

// begin starts a session on the peer's channel number.
func (c *connection) begin(channel uint16, f amqp.Fields) error {
	b, err := amqp.DecodeBegin(f)
	if err != nil {
		return err
	}
	if c.sessions[channel] != nil || channel > channelMax {
		return &amqp.Error{Condition: condNotAllowed, Description: "channel is in use or too high"}
	}
	s := newSession(c, channel, b)
	c.sessions[channel] = s
	c.out = amqp.Begin{
		RemoteChannel:  amqp.Some(channel),
		NextOutgoingID: s.nextOutgoing,
		IncomingWindow: sessionWindow,
		OutgoingWindow: b.IncomingWindow,
		HandleMax:      amqp.Some[uint32](handleMax),
	}.Append(c.out, channel)
	return nil
}

// end ends a session at the peer's wish, or takes its answer to ours.
func (c *connection) end(s *session) {
	if !s.ended {
		s.flushReplies()
		s.free()
		c.out = amqp.End{}.Append(c.out, s.channel)
	}
	delete(c.sessions, s.channel)
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
