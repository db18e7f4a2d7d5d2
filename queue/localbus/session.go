package localbus

import (
	"context"
	"errors"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

const (
	sessionWindow = 5000 // transfers that we take before we answer
	handleMax     = 255
	firstOutgoing = 1 // our first transfer number
)

// session is one AMQP session. The connection's mu guards it.
type session struct {
	conn    *connection
	channel uint16 // the same number in both directions
	ended   bool   // we have sent end and ignore all but the peer's
	links   map[uint32]*link

	nextIncoming uint32 // number of the peer's next transfer
	incomingLeft uint32 // transfers that the peer may still send
	nextOutgoing uint32 // number of our next transfer
	remoteWindow uint32 // transfers that we may still send
	nextDelivery uint32 // id of our next delivery

	unsettled map[uint32]unsettled // our deliveries that wait for a disposition

	// Accepted deliveries that are not yet told to the peer: one run of ids
	// for deliveries from the peer and one for our own.
	received, sent run
	queued         bool // stands in conn.replies
}

// unsettled is a delivery that the peer has not settled.
type unsettled struct {
	outlet *outlet
	token  lockToken
}

// run is a contiguous range of delivery ids.
type run struct {
	first, count uint32
}

func newSession(c *connection, channel uint16, b amqp.Begin) *session {
	return &session{
		conn:         c,
		channel:      channel,
		links:        map[uint32]*link{},
		nextIncoming: b.NextOutgoingID,
		incomingLeft: sessionWindow,
		nextOutgoing: firstOutgoing,
		remoteWindow: b.IncomingWindow,
		unsettled:    map[uint32]unsettled{},
	}
}

// handle works on one frame of the session. An error of the session ends it
// and is not returned.
func (s *session) handle(ctx context.Context, code byte, f amqp.Fields, payload []byte) error {
	var err error
	switch code {
	case amqp.CodeAttach:
		err = s.attach(ctx, f)
	case amqp.CodeFlow:
		err = s.flow(f)
	case amqp.CodeTransfer:
		err = s.transfer(f, payload)
	case amqp.CodeDisposition:
		err = s.disposition(f)
	case amqp.CodeDetach:
		err = s.detach(f)
	default:
		return &amqp.Error{Condition: condFraming, Description: "unexpected performative"}
	}
	if e, ok := errors.AsType[*amqp.Error](err); ok {
		s.fail(e)
		return nil
	}
	return err
}

// fail ends the session because of an error.
func (s *session) fail(e *amqp.Error) {
	s.flushReplies()
	s.free()
	s.ended = true
	s.conn.out = amqp.End{Error: e}.Append(s.conn.out, s.channel)
}

// free gives back what the links hold.
func (s *session) free() {
	for _, l := range s.links {
		l.free()
	}
	clear(s.links)
	clear(s.unsettled)
	s.ended = true
}

// flow takes news of windows and credit.
func (s *session) flow(f amqp.Fields) error {
	v, err := amqp.DecodeFlow(f)
	if err != nil {
		return err
	}
	blocked := s.remoteWindow == 0
	s.remoteWindow = unused(v.IncomingWindow, v.NextIncomingID.Or(firstOutgoing), s.nextOutgoing)
	if blocked && s.remoteWindow > 0 {
		for _, l := range s.links {
			if l.out != nil {
				l.out.markReady()
			}
		}
	}
	if !v.Handle.Set {
		if v.Echo {
			s.tellFlow(amqp.Flow{})
		}
		return nil
	}
	l := s.links[v.Handle.Value]
	if l == nil {
		return &amqp.Error{Condition: condUnattached, Description: "flow on an unknown handle"}
	}
	l.flow(v)
	return nil
}

// unused returns what is left of a window or a credit that the peer granted
// from number first on, when our next number is next. Numbers are serial (RFC
// 1982); a peer that counts ahead of us has granted just that much.
func unused(granted, first, next uint32) uint32 {
	used := next - first
	if int32(used) < 0 {
		used = 0
	}
	return granted - min(granted, used)
}

// tellFlow writes a flow with the state of the session filled in, which opens
// the incoming window again.
func (s *session) tellFlow(v amqp.Flow) {
	s.incomingLeft = sessionWindow
	v.NextIncomingID = amqp.Some(s.nextIncoming)
	v.IncomingWindow = sessionWindow
	v.NextOutgoingID = s.nextOutgoing
	v.OutgoingWindow = s.remoteWindow
	s.conn.out = v.Append(s.conn.out, s.channel)
}

// transfer takes a part of a message from the peer.
func (s *session) transfer(f amqp.Fields, payload []byte) error {
	t, err := amqp.DecodeTransfer(f)
	if err != nil {
		return err
	}
	if s.incomingLeft == 0 {
		return &amqp.Error{Condition: condWindow, Description: "more transfers than the incoming window"}
	}
	s.nextIncoming++
	s.incomingLeft--
	l := s.links[t.Handle]
	if l == nil || !l.detached && l.in == nil {
		return &amqp.Error{Condition: condUnattached, Description: "transfer on an unknown handle"}
	}
	if !l.detached {
		l.in.transfer(t, payload)
	}
	if !s.ended && s.incomingLeft < sessionWindow/2 {
		s.tellFlow(amqp.Flow{})
	}
	return nil
}

// accepted notes that a delivery is settled and accepted. The peer is told
// later, with its neighbours.
func (s *session) accepted(r *run, id uint32) {
	if r.count > 0 && id != r.first+r.count {
		s.flushReplies()
	}
	if r.count == 0 {
		r.first = id
	}
	r.count++
	if !s.queued {
		s.queued = true
		s.conn.replies = append(s.conn.replies, s)
	}
}

// flushReplies tells the peer of accepted deliveries.
func (s *session) flushReplies() {
	s.queued = false
	if s.ended {
		return
	}
	for _, r := range []*run{&s.received, &s.sent} {
		if r.count == 0 {
			continue
		}
		d := amqp.Disposition{Receiver: r == &s.received, First: r.first, Settled: true}
		d.State.Code = amqp.CodeAccepted
		if r.count > 1 {
			d.Last = amqp.Some(r.first + r.count - 1)
		}
		s.conn.out = d.Append(s.conn.out, s.channel)
		r.count = 0
	}
}

// answer tells the peer the fate of one delivery, settled.
func (s *session) answer(receiver bool, id uint32, state amqp.State) {
	if state.Code == amqp.CodeAccepted {
		if receiver {
			s.accepted(&s.received, id)
		} else {
			s.accepted(&s.sent, id)
		}
		return
	}
	d := amqp.Disposition{Receiver: receiver, First: id, Settled: true, State: state}
	s.conn.out = d.Append(s.conn.out, s.channel)
}
