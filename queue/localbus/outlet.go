package localbus

import "github.com/signmill/signmill/queue/localbus/internal/amqp"

// outlet is the sending side of a link: the peer receives.
type outlet struct {
	link    *link
	node    source
	settled bool // deliveries are settled when they leave

	credit uint32
	sent   uint32 // the delivery count
	drain  bool
	ready  bool // stands in conn.ready

	message message // what is being sent
	buffer  []byte  // of the message, used again
	rest    []byte  // of the message, in buffer; nil between messages
	first   bool    // no frame of the message has been sent
	id      uint32  // of the delivery, once its first frame has been sent
}

// source is a node that has messages. Its methods run under the connection's
// mu.
type source interface {
	// next returns the next message, appended to b or in a buffer that the
	// outlet may use from then on. Limit is how many the peer would
	// take now. ok is false when there is none; then the node calls the
	// outlet's markReady as soon as there may be.
	next(b []byte, limit int) (m message, ok bool, err error)

	// left tells the node that a message has left completely.
	left(m message)

	// pause tells the node that the peer wants no more for now. What was set
	// aside for it may go to others.
	pause()

	// close tells the node that its link is gone. It takes back what next
	// returned and left did not confirm.
	close()
}

// message is one encoded message for a peer.
type message struct {
	encoded []byte
	token   lockToken
}

// openOutlet puts a source behind the link; the attach has been answered.
func (l *link) openOutlet(node source) *outlet {
	l.out = &outlet{link: l, node: node, settled: l.attach.SenderSettleMode.Value == amqp.SenderSettled}
	return l.out
}

func (o *outlet) free() {
	for id, u := range o.link.session.unsettled {
		if u.outlet == o {
			delete(o.link.session.unsettled, id)
		}
	}
	o.node.close()
}

// flow takes credit.
func (o *outlet) flow(v amqp.Flow) {
	o.link.lastUse = o.link.session.conn.now()
	o.credit = unused(v.LinkCredit.Value, v.DeliveryCount.Value, o.sent)
	o.drain = v.Drain
	if v.Echo && !v.Drain {
		o.tellFlow()
	}
	o.markReady()
}

func (o *outlet) tellFlow() {
	o.link.session.tellFlow(amqp.Flow{
		Handle:        amqp.Some(o.link.handle),
		DeliveryCount: amqp.Some(o.sent),
		LinkCredit:    amqp.Some(o.credit),
		Drain:         o.drain,
	})
}

// markReady lets the writer look at the link. The caller holds the
// connection's mu.
func (o *outlet) markReady() {
	c := o.link.session.conn
	if !o.ready && !o.link.detached {
		o.ready = true
		c.ready = append(c.ready, o)
		c.rouse()
	}
}

// pump sends while there are credit, window and messages, and gives way when
// the connection has enough to write, be it within a message.
func (o *outlet) pump() {
	s := o.link.session
	for o.link.out == o && !s.conn.closing {
		switch {
		case len(s.conn.out) >= highWater:
			o.markReady()
			return
		case o.rest == nil && o.credit == 0:
			o.node.pause()
			o.finishDrain()
			return
		case s.remoteWindow == 0:
			return
		case o.rest != nil:
			o.sendFrame()
		case !o.fetch():
			o.finishDrain()
			return
		}
	}
}

// fetch encodes the next message.
func (o *outlet) fetch() bool {
	m, ok, err := o.node.next(o.buffer[:0], int(o.credit))
	if err != nil {
		o.link.detachWith(condition(err))
		return false
	}
	if !ok {
		return false
	}
	o.message, o.buffer, o.rest, o.first = m, m.encoded, m.encoded, true
	return true
}

// finishDrain gives up the credit that could not be used.
func (o *outlet) finishDrain() {
	if !o.drain || o.link.detached {
		return
	}
	o.sent += o.credit
	o.credit = 0
	o.tellFlow()
	o.drain = false
}

// sendFrame writes the next frame of the message.
func (o *outlet) sendFrame() {
	s := o.link.session
	c := s.conn
	t := amqp.Transfer{Handle: o.link.handle}
	if o.first {
		o.first, o.id = false, s.nextDelivery
		s.nextDelivery++
		o.sent++
		o.credit--
		tag := o.message.token.tag()
		t.DeliveryID = amqp.Some(o.id)
		t.DeliveryTag = tag[:]
		t.MessageFormat = amqp.Some[uint32](0)
		t.Settled = amqp.Some(o.settled)
	}
	payload := o.rest
	if room := int(min(c.peerFrame, maxOutFrame)) - amqp.MaxTransferHeader; len(payload) > room {
		payload, t.More = payload[:room], true
	}
	o.rest = o.rest[len(payload):]
	start := len(c.out)
	c.out = t.Append(c.out, s.channel, payload)
	s.nextOutgoing++
	s.remoteWindow--
	if c.server.faults.cutNow() {
		c.cut = start + (len(c.out)-start)/2
		c.closing = true
	}
	if !t.More {
		o.finish()
	}
}

// finish notes that the message has left.
func (o *outlet) finish() {
	s := o.link.session
	o.rest = nil
	if !o.settled {
		s.unsettled[o.id] = unsettled{outlet: o, token: o.message.token}
	}
	if cap(o.buffer) > highWater {
		o.buffer = nil
	}
	o.link.lastUse = s.conn.now()
	o.node.left(o.message)
}

// maxOutFrame keeps frames to peers without a limit of their own at a size
// that shares the connection well.
const maxOutFrame = 64 << 10
