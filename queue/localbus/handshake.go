package localbus

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

// mechanisms are those of the real service, in its order.
var mechanisms = amqp.SASLMechanisms{"MSSBCBS", "PLAIN", "ANONYMOUS", "EXTERNAL"}

const (
	channelMax    = 4999
	handshakeTime = 60 * time.Second
	minKeepalive  = 20 * time.Millisecond // a peer that wants more is not served better
)

// handshake exchanges protocol headers, SASL frames and opens. A peer that
// skips SASL is shown the SASL header and sent away, unless access is open.
func (c *connection) handshake() error {
	c.nc.SetDeadline(time.Now().Add(handshakeTime))
	defer c.nc.SetDeadline(time.Time{})
	header, err := c.readHeader()
	if err != nil {
		return err
	}
	switch {
	case header == amqp.ProtocolSASL:
		if err := c.authenticate(); err != nil {
			return err
		}
		if header, err = c.readHeader(); err != nil {
			return err
		}
		if header != amqp.ProtocolAMQP {
			return c.sendAway(amqp.ProtocolAMQP, header)
		}
	case header != amqp.ProtocolAMQP || !c.server.config.OpenAccess:
		return c.sendAway(amqp.ProtocolSASL, header)
	}
	if _, err := io.WriteString(c.nc, amqp.ProtocolAMQP); err != nil {
		return err
	}
	return c.open()
}

func (c *connection) readHeader() (string, error) {
	b := make([]byte, amqp.HeaderSize)
	_, err := io.ReadFull(c.in, b)
	return string(b), err
}

// sendAway answers a wrong protocol header with the right one.
func (c *connection) sendAway(want, got string) error {
	if _, err := io.WriteString(c.nc, want); err != nil {
		return err
	}
	return fmt.Errorf("protocol header %q instead of %q", got, want)
}

// authenticate runs the SASL layer.
func (c *connection) authenticate() error {
	b := append([]byte(amqp.ProtocolSASL), mechanisms.Append(nil)...)
	if _, err := c.nc.Write(b); err != nil {
		return err
	}
	fields, size, err := c.expect(amqp.FrameSASL, amqp.CodeSASLInit)
	if err != nil {
		return err
	}
	init, err := amqp.DecodeSASLInit(fields)
	if err != nil {
		return err
	}
	outcome := c.admit(init)
	c.in.Discard(size)
	if _, err := c.nc.Write(outcome.Append(nil)); err != nil {
		return err
	}
	if outcome != amqp.SASLOK {
		return fmt.Errorf("sasl %s: refused", init.Mechanism)
	}
	return nil
}

// expect reads a frame that has to be of one kind. The caller discards its size
// when done with the fields.
func (c *connection) expect(kind, code byte) (f amqp.Fields, size int, err error) {
	h, body, err := c.readFrame()
	if err != nil {
		return f, 0, err
	}
	got, f, _, err := amqp.Parse(body)
	if err == nil && (h.Type != kind || got != code) {
		err = fmt.Errorf("frame 0x%02x of type %d instead of 0x%02x of type %d", got, h.Type, code, kind)
	}
	return f, int(h.Size), err
}

// admit judges a mechanism. PLAIN names a rule and its key and grants the
// rule's rights; all others grant nothing.
func (c *connection) admit(init amqp.SASLInit) amqp.SASLOutcome {
	switch init.Mechanism {
	case "ANONYMOUS", "EXTERNAL", "MSSBCBS":
		return amqp.SASLOK
	case "PLAIN":
		parts := bytes.Split(init.Response, []byte{0})
		if len(parts) == 3 && c.grantPlain(string(parts[1]), string(parts[2])) {
			return amqp.SASLOK
		}
	}
	return amqp.SASLAuth
}

// open exchanges open performatives.
func (c *connection) open() error {
	fields, size, err := c.expect(amqp.FrameAMQP, amqp.CodeOpen)
	if err != nil {
		return err
	}
	o, err := amqp.DecodeOpen(fields)
	if err != nil {
		return err
	}
	c.in.Discard(size)
	c.peerFrame = max(o.MaxFrameSize.Or(math.MaxUint32), 512)
	if o.IdleTimeout > 0 {
		c.keepalive = max(time.Duration(o.IdleTimeout)*time.Millisecond/2, minKeepalive)
	}
	_, err = c.nc.Write(amqp.Open{
		ContainerID:  containerID,
		MaxFrameSize: amqp.Some(c.server.config.MaxFrameSize),
		ChannelMax:   amqp.Some[uint16](channelMax),
		IdleTimeout:  uint32(max(c.server.config.IdleTimeout, 0) / time.Millisecond),
	}.Append(nil))
	return err
}

const containerID = "localbus"
