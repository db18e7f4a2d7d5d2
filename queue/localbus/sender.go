package localbus

import (
	"bytes"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
	"github.com/signmill/signmill/queue/localbus/internal/broker"
	"github.com/signmill/signmill/queue/localbus/internal/token"
)

const (
	senderCredit = 1000
	batchFormat  = 0x80013700 // an envelope whose data sections are messages
	maxBatch     = 4500       // messages in one batch
)

// queueSink puts messages into a queue.
type queueSink struct {
	link  *link
	queue *broker.Queue
}

// connectSender attaches a link that sends to a queue.
func (l *link) connectSender() error {
	if err := l.authorize(l.path, token.Send); err != nil {
		return err
	}
	q, err := l.session.conn.server.broker.Open(l.path)
	if err != nil {
		return err
	}
	if status := q.Properties().Status; status == broker.FullyDisabled || status == broker.SendDisabled {
		return &amqp.Error{Condition: condEntityDisabled, Description: "The messaging entity is disabled for sending."}
	}
	l.openInlet(&queueSink{link: l, queue: q}, uint64(q.Properties().MaxMessageBytes), senderCredit)
	return nil
}

func (n *queueSink) close() {}

func (n *queueSink) receive(p parcel) amqp.State {
	if n.link.session.conn.server.faults.busy.hit() {
		return rejected(&amqp.Error{Condition: condServerBusy, Description: textServerBusy})
	}
	messages, err := parcelMessages(p)
	if err == nil {
		_, err = n.queue.Send(messages...)
	}
	if err != nil {
		return rejected(condition(err))
	}
	return amqp.State{Code: amqp.CodeAccepted}
}

func rejected(e *amqp.Error) amqp.State {
	return amqp.State{Code: amqp.CodeRejected, Error: e}
}

// parcelMessages returns the message of a parcel, or those of a batch.
func parcelMessages(p parcel) ([]broker.Message, error) {
	if p.format != batchFormat {
		m, err := brokerMessage(p.payload)
		return []broker.Message{m}, err
	}
	envelope, err := amqp.ParseMessage(p.payload)
	if err != nil {
		return nil, err
	}
	var messages []broker.Message
	err = envelope.EachData(func(b []byte) error {
		if len(messages) == maxBatch {
			return &amqp.Error{Condition: condNotAllowed, Description: "more than 4500 messages in a batch"}
		}
		m, err := brokerMessage(bytes.Clone(b)) // so that one message does not hold all of them
		messages = append(messages, m)
		return err
	})
	return messages, err
}

// brokerMessage takes the broker's part out of an encoded message. The rest
// refers to b.
func brokerMessage(b []byte) (broker.Message, error) {
	s, err := amqp.ParseMessage(b)
	if err != nil {
		return broker.Message{}, err
	}
	h, err := amqp.DecodeHeader(s.Header)
	if err != nil {
		return broker.Message{}, err
	}
	p, err := amqp.DecodeProperties(s.Properties)
	if err != nil {
		return broker.Message{}, err
	}
	m := broker.Message{
		ID:         amqp.IDText(p.MessageID),
		SessionID:  p.GroupID.Value,
		HasSession: p.GroupID.Set,
		TTL:        time.Duration(h.TTL.Value) * time.Millisecond,
		Durable:    h.Durable,
		Priority:   h.Priority.Or(defaultPriority),
		Size:       len(b),
		Bare:       s.Bare,
	}
	if m.DeliveryAnnotations, err = annotations(s.DeliveryAnnotations); err == nil {
		m.Annotations, err = annotations(s.MessageAnnotations)
	}
	takeAnnotations(&m)
	return m, err
}

const defaultPriority = 4 // part 3, section 3.2.1

// annotations lists the entries of a map; values stay encoded.
func annotations(b []byte) (list []broker.Property, err error) {
	err = amqp.EachEntry(b, func(key string, _, v amqp.Raw) {
		if key != "" {
			list = append(list, broker.Property{Key: key, Value: v})
		}
	})
	return list, err
}

// takeAnnotations reads the annotations that the broker acts upon.
func takeAnnotations(m *broker.Message) {
	for _, a := range m.Annotations {
		switch a.Key {
		case keyPartition:
			v, _ := a.Value.(amqp.Raw)
			key, _, _ := amqp.Decode(v)
			m.PartitionKey = amqp.Text(key)
		case keyScheduled:
			v, _ := a.Value.(amqp.Raw)
			at, _, _ := amqp.Decode(v)
			if t, ok := at.(amqp.Timestamp); ok {
				m.ScheduledAt = t.Time()
			}
		}
	}
}
