package localbus

import (
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

// maxListed and maxListedBytes bound what one listing holds. The latter is
// passed over by one message at most.
const (
	maxListed      = 4500
	maxListedBytes = 4 << 20
)

func (c call) peek() (amqp.Map, error) {
	b := broker.Browse{
		From:  c.int("from-sequence-number", 0),
		Limit: int(min(max(c.int("message-count", 1), 0), maxListed)),
	}
	b.SessionID, b.HasSession = c.sessionID()
	found, err := c.queue.Peek(b)
	if err != nil {
		return nil, err
	}
	size := 0
	for i := range found {
		if size += found[i].Size; size > maxListedBytes && i > 0 {
			found = found[:i]
			break
		}
	}
	return messageList(found)
}

// sessionID returns the session that a request speaks of: by its argument, or
// by the link that it belongs to.
func (c call) sessionID() (string, bool) {
	if id, ok := c.args.Get("session-id").(string); ok {
		return id, true
	}
	if l := c.link.session.conn.linkNamed(c.associated); l != nil && l.out != nil {
		if n, ok := l.out.node.(*queueSource); ok {
			id, _, ok := n.consumer.Session()
			return id, ok
		}
	}
	return "", false
}

// messageList encodes deliveries for a response.
func messageList(found []broker.Delivery) (amqp.Map, error) {
	list := make([]any, 0, len(found))
	for i := range found {
		d := &found[i]
		b, err := appendDelivery(nil, d)
		if err != nil {
			return nil, err
		}
		m := amqp.Map{{Key: "message", Value: b}}
		if d.LockToken != (broker.Token{}) {
			m = append(m, amqp.Entry{Key: "lock-token", Value: amqp.UUID(d.LockToken)})
		}
		list = append(list, m)
	}
	return amqp.Map{{Key: "messages", Value: list}}, nil
}

func (c call) receiveDeferred() (amqp.Map, error) {
	numbers, err := c.numbers()
	if err != nil {
		return nil, err
	}
	mode := broker.ReceiveAndDelete
	if c.int("receiver-settle-mode", 1) == int64(amqp.ReceiverSecond) {
		mode = broker.PeekLock
	}
	found, err := c.queue.ReceiveDeferred(mode, numbers...)
	if err != nil {
		return nil, err
	}
	return messageList(found)
}

func (c call) schedule() (amqp.Map, error) {
	var messages []broker.Message
	for _, v := range amqp.List(c.args.Get("messages")) {
		entry, _ := v.(amqp.Map)
		b, ok := entry.Get("message").([]byte)
		if !ok {
			return nil, c.invalid("messages holds an entry without a message")
		}
		m, err := brokerMessage(b)
		if err != nil {
			return nil, err
		}
		messages = append(messages, m)
	}
	if len(messages) == 0 {
		return nil, c.invalid("messages is missing")
	}
	numbers, err := c.queue.Send(messages...)
	if err != nil {
		return nil, err
	}
	list := amqp.Array{Code: amqp.ArrayOfLong}
	for _, n := range numbers {
		list.Items = append(list.Items, n)
	}
	return amqp.Map{{Key: "sequence-numbers", Value: list}}, nil
}

func (c call) cancelScheduled() (amqp.Map, error) {
	numbers, err := c.numbers()
	if err != nil {
		return nil, err
	}
	return nil, c.queue.CancelScheduled(numbers...)
}

func (c call) deleteMessages() (amqp.Map, error) {
	before, ok := c.args.Get("enqueued-time-utc").(amqp.Timestamp)
	if !ok {
		before = amqp.TimestampOf(c.link.session.conn.now())
	}
	n, err := c.queue.DeleteOlder(before.Time(), int(min(max(c.int("message-count", 0), 0), maxListed)))
	if err != nil {
		return nil, err
	}
	return amqp.Map{{Key: "message-count", Value: int32(n)}}, nil
}

func (c call) renewSession() (amqp.Map, error) {
	id, ok := c.sessionID()
	if !ok {
		return nil, c.invalid("session-id is missing")
	}
	end, err := c.queue.RenewSession(id)
	if err != nil {
		return nil, err
	}
	return amqp.Map{{Key: "expiration", Value: amqp.TimestampOf(end)}}, nil
}

func (c call) sessionState() (amqp.Map, error) {
	id, ok := c.sessionID()
	if !ok {
		return nil, c.invalid("session-id is missing")
	}
	state, err := c.queue.SessionState(id)
	if err != nil {
		return nil, err
	}
	var v any
	if len(state) > 0 {
		v = state
	}
	return amqp.Map{{Key: "session-state", Value: v}}, nil
}

func (c call) setSessionState() (amqp.Map, error) {
	id, ok := c.sessionID()
	if !ok {
		return nil, c.invalid("session-id is missing")
	}
	state, _ := c.args.Get("session-state").([]byte)
	return nil, c.queue.SetSessionState(id, state)
}

// anySession is the time that asks for sessions with messages or state.
const anySession amqp.Timestamp = 253402300800000

func (c call) listSessions() (amqp.Map, error) {
	skip := max(c.int("skip", 0), 0)
	f := broker.SessionFilter{Skip: int(min(skip, 1<<30)), Top: int(min(max(c.int("top", 100), 1), maxListed))}
	if t, ok := c.args.Get("last-updated-time").(amqp.Timestamp); ok && t < anySession {
		f.UpdatedSince = max(t, 0).Time()
		if f.UpdatedSince.IsZero() {
			f.UpdatedSince = time.UnixMilli(0)
		}
	}
	ids, err := c.queue.Sessions(f)
	if err != nil {
		return nil, err
	}
	list := amqp.Array{Code: amqp.ArrayOfString}
	for _, id := range ids {
		list.Items = append(list.Items, id)
	}
	return amqp.Map{
		{Key: "sessions-ids", Value: list},
		{Key: "skip", Value: int32(f.Skip + len(ids))},
	}, nil
}
