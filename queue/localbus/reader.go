package localbus

import (
	"context"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

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
