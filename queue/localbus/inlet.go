package localbus

import (
	"fmt"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

// inlet is the receiving side of a link: the peer sends.
type inlet struct {
	link  *link
	node  sink
	limit uint64 // bytes of one message
	quota uint32 // credit that the peer has after a top-up

	credit   uint32
	received uint32 // the delivery count
	part     parcel // message whose rest is to come
	size     uint64 // bytes of it so far, also of those that are too many to keep
	partial  bool
}

// sink is a node that takes messages. Its methods run under the connection's
// mu.
type sink interface {
	// receive takes one message and returns its final state. It may keep the
	// parcel's payload.
	receive(p parcel) amqp.State

	// close tells the node that its link is gone.
	close()
}

// parcel is one message from a peer.
type parcel struct {
	id      uint32
	format  uint32
	settled bool
	payload []byte
}

// openInlet answers the attach and grants credit.
func (l *link) openInlet(node sink, limit uint64, quota uint32) {
	if own := l.attach.MaxMessageSize; own > 0 && own < limit {
		limit = own
	}
	l.in = &inlet{link: l, node: node, limit: limit, quota: quota}
	var properties amqp.Map
	if limit > maxBatchBytes {
		properties = amqp.Map{{Key: amqp.Symbol("com.microsoft:max-message-batch-size"), Value: uint64(maxBatchBytes)}}
	}
	l.accept(l.attach.Source, limit, properties)
	if !l.session.conn.server.config.Faults.NoCredit {
		l.in.topUp()
	}
}

// maxBatchBytes is the most that clients put into one batch where messages may
// be larger.
const maxBatchBytes = 1 << 20

// topUp raises the credit to the quota.
func (i *inlet) topUp() {
	i.credit = i.quota
	i.tellCredit()
}

func (i *inlet) tellCredit() {
	i.link.session.tellFlow(amqp.Flow{
		Handle:        amqp.Some(i.link.handle),
		DeliveryCount: amqp.Some(i.received),
		LinkCredit:    amqp.Some(i.credit),
	})
}

// transfer takes one frame of a message.
func (i *inlet) transfer(t amqp.Transfer, payload []byte) {
	if !i.partial && !i.begin(t) {
		return
	}
	if t.Aborted {
		i.takePart()
		i.count()
		return
	}
	i.part.settled = i.part.settled || t.Settled.Value
	i.keep(payload)
	i.partial = true
	switch {
	case !t.More:
		i.deliver()
	case i.link.session.conn.parts > maxParts:
		i.link.detachWith(&amqp.Error{Condition: condFull, Description: "the connection has too many unfinished messages"})
	}
}

// keep adds a piece to the message, and forgets all pieces of one that is too
// large.
func (i *inlet) keep(payload []byte) {
	c := i.link.session.conn
	if i.size += uint64(len(payload)); i.size > i.limit {
		c.parts -= len(i.part.payload)
		i.part.payload = nil
		return
	}
	c.parts += len(payload)
	i.part.payload = append(i.part.payload, payload...)
}

// maxParts is how many bytes of unfinished messages one connection may have.
const maxParts = 200 << 20

// takePart returns what has come of a message and forgets it.
func (i *inlet) takePart() parcel {
	p := i.part
	i.link.session.conn.parts -= len(p.payload)
	i.part, i.partial = parcel{}, false
	return p
}

// begin starts a message with its first frame.
func (i *inlet) begin(t amqp.Transfer) bool {
	switch {
	case !t.DeliveryID.Set:
		i.link.session.fail(&amqp.Error{Condition: condNotAllowed, Description: "first transfer without a delivery id"})
		return false
	case i.credit == 0:
		i.link.detachWith(&amqp.Error{Condition: condOverCredit, Description: "transfer without credit"})
		return false
	}
	i.part = parcel{id: t.DeliveryID.Value, format: t.MessageFormat.Value}
	i.size = 0
	return true
}

// deliver hands the complete message to the node and answers.
func (i *inlet) deliver() {
	p := i.takePart()
	i.link.lastUse = i.link.session.conn.now()
	if i.size > i.limit {
		i.refuse(p)
		return
	}
	state := i.node.receive(p)
	if i.link.detached || i.link.session.ended {
		return
	}
	if !p.settled {
		i.link.session.answer(true, p.id, state)
	}
	i.count()
}

// refuse answers a message that is too large, once its last byte is read. The
// link lives on, as with the real service; unless the sender takes no answers.
func (i *inlet) refuse(p parcel) {
	e := &amqp.Error{
		Condition: condTooLarge,
		Description: fmt.Sprintf("The received message (delivery-id:%d, size:%d bytes) exceeds the limit (%d bytes) currently allowed on the link.",
			p.id, i.size, i.limit),
	}
	if p.settled {
		i.link.detachWith(e)
		return
	}
	i.link.session.answer(true, p.id, rejected(e))
	i.count()
}

// count notes a received delivery and tops up when half the credit is used.
func (i *inlet) count() {
	i.received++
	i.credit--
	if i.credit <= i.quota/2 {
		i.topUp()
	}
}
