package localbus

import (
	"maps"
	"slices"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

// Application properties and info keys of dead letters.
const (
	keyReason      = "DeadLetterReason"
	keyDescription = "DeadLetterErrorDescription"
)

// disposition takes the peer's word on a range of our deliveries. Its word on
// its own deliveries says nothing new: they are settled when they arrive.
func (s *session) disposition(f amqp.Fields) error {
	d, err := amqp.DecodeDisposition(f)
	if err != nil || !d.Receiver {
		return err
	}
	if d.State.Code > amqp.CodeModified {
		return &amqp.Error{Condition: condNotImplemented, Description: "the delivery state is not offered"}
	}
	if d.State.Code < amqp.CodeAccepted && !d.Settled {
		return nil // says nothing about the outcome
	}
	span := d.Last.Or(d.First) - d.First
	if span < uint32(len(s.unsettled)) {
		for i := range span + 1 {
			s.settle(d.First+i, &d)
		}
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(s.unsettled)) {
		if id-d.First <= span {
			s.settle(id, &d)
		}
	}
	return nil
}

// settle ends one delivery.
func (s *session) settle(id uint32, d *amqp.Disposition) {
	u, ok := s.unsettled[id]
	if !ok {
		return
	}
	delete(s.unsettled, id)
	state := u.outlet.settle(u.token, &d.State)
	if !d.Settled {
		s.answer(false, id, state)
	}
}

// settle tells the queue, and returns the state for the answer.
func (o *outlet) settle(t lockToken, state *amqp.State) amqp.State {
	o.link.lastUse = o.link.session.conn.now()
	n, ok := o.node.(*queueSource)
	if !ok {
		return amqp.State{Code: amqp.CodeAccepted}
	}
	if err := n.queue.Settle(settlementOf(state), broker.Token(t)); err != nil {
		return rejected(condition(err))
	}
	return amqp.State{Code: state.Code, UndeliverableHere: state.UndeliverableHere, DeliveryFailed: state.DeliveryFailed}
}

// settlementOf translates a delivery state as Service Bus does: modified is
// abandon or defer, rejected is dead-letter.
func settlementOf(s *amqp.State) broker.Settlement {
	switch s.Code {
	case amqp.CodeAccepted:
		return broker.Settlement{Outcome: broker.Complete}
	case amqp.CodeModified:
		m := broker.Settlement{Outcome: broker.Abandon, Modify: modifications(s.Annotations)}
		if s.UndeliverableHere {
			m.Outcome = broker.Defer
		}
		return m
	case amqp.CodeRejected:
		return deadLetter(s.Error)
	}
	return broker.Settlement{Outcome: broker.Release}
}

// deadLetter takes reason and description from the error's info, or from the
// error of a client that does not know Service Bus.
func deadLetter(e *amqp.Error) broker.Settlement {
	s := broker.Settlement{Outcome: broker.DeadLetter}
	if e == nil {
		return s
	}
	if e.Condition != condDeadLetter {
		s.Reason, s.Description = string(e.Condition), e.Description
	}
	for _, p := range modifications(e.Info) {
		switch p.Key {
		case keyReason:
			s.Reason = amqp.Text(p.Value)
		case keyDescription:
			s.Description = amqp.Text(p.Value)
		default:
			s.Modify = append(s.Modify, p)
		}
	}
	return s
}

// modifications lists the entries that have text keys.
func modifications(m amqp.Map) []broker.Property {
	var list []broker.Property
	for _, e := range m {
		if key := amqp.Text(e.Key); key != "" {
			list = append(list, broker.Property{Key: key, Value: e.Value})
		}
	}
	return list
}
