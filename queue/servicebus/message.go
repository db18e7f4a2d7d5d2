package servicebus

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"github.com/signmill/signmill/queue"
)

// maxID is the broker's limit on a message or session ID, in characters
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas).
const maxID = 128

// outgoingAll translates messages, all or none.
func outgoingAll(messages []queue.Message) ([]*azservicebus.AMQPAnnotatedMessage, error) {
	out := make([]*azservicebus.AMQPAnnotatedMessage, len(messages))
	for i, m := range messages {
		o, err := outgoing(m)
		if err != nil {
			return nil, fmt.Errorf("message %q: %w", m.ID, err)
		}
		out[i] = o
	}
	return out, nil
}

// outgoing translates m for the client, into its form that is nearest to the
// wire: the other one knows no content encoding.
func outgoing(m queue.Message) (*azservicebus.AMQPAnnotatedMessage, error) {
	if err := checkIDs(m); err != nil {
		return nil, err
	}
	properties, err := outgoingProperties(m.Properties)
	if err != nil {
		return nil, err
	}
	o := &azservicebus.AMQPAnnotatedMessage{
		Properties: &azservicebus.AMQPAnnotatedMessageProperties{
			MessageID:       m.ID,
			ReplyTo:         optional(m.ReplyTo),
			ReplyToGroupID:  optional(m.ReplyToSessionID),
			GroupID:         optional(m.SessionID),
			Subject:         optional(m.Subject),
			ContentType:     optional(m.ContentType),
			ContentEncoding: optional(m.ContentEncoding),
		},
		Body:                  azservicebus.AMQPAnnotatedMessageBody{Data: [][]byte{m.Body}},
		ApplicationProperties: properties,
	}
	if m.CorrelationID != "" {
		o.Properties.CorrelationID = m.CorrelationID
	}
	if m.TimeToLive != 0 {
		o.Header = &azservicebus.AMQPAnnotatedMessageHeader{TTL: m.TimeToLive}
	}
	o.MessageAnnotations = annotations(m)
	return o, nil
}

// The names of message annotations, which have no other place in that form
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide#message-annotations).
const (
	partitionKey  = "x-opt-partition-key"
	scheduledTime = "x-opt-scheduled-enqueue-time"
)

func annotations(m queue.Message) map[any]any {
	if m.PartitionKey == "" && m.ScheduledAt.IsZero() {
		return nil
	}
	a := make(map[any]any, 2)
	if m.PartitionKey != "" {
		a[partitionKey] = m.PartitionKey
	}
	if !m.ScheduledAt.IsZero() {
		a[scheduledTime] = m.ScheduledAt.UTC()
	}
	return a
}

func checkIDs(m queue.Message) error {
	switch {
	case m.ID == "":
		return errors.New("id is missing: duplicate detection needs it")
	case utf8.RuneCountInString(m.ID) > maxID:
		return fmt.Errorf("id is longer than %d characters", maxID)
	case utf8.RuneCountInString(m.SessionID) > maxID:
		return fmt.Errorf("session id is longer than %d characters", maxID)
	case utf8.RuneCountInString(m.PartitionKey) > maxID:
		return fmt.Errorf("partition key is longer than %d characters", maxID)
	case m.PartitionKey != "" && m.SessionID != "" && m.PartitionKey != m.SessionID:
		return errors.New("partition key differs from session id")
	case m.TimeToLive < 0:
		return errors.New("time to live is negative")
	}
	return nil
}

// incoming translates a received message.
func incoming(m *azservicebus.ReceivedMessage) queue.Message {
	in := queue.Message{
		ID:               m.MessageID,
		CorrelationID:    value(m.CorrelationID),
		ReplyTo:          value(m.ReplyTo),
		ReplyToSessionID: value(m.ReplyToSessionID),
		SessionID:        value(m.SessionID),
		PartitionKey:     value(m.PartitionKey),
		Subject:          value(m.Subject),
		ContentType:      value(m.ContentType),
		Body:             body(m),
		Properties:       incomingProperties(m.ApplicationProperties),
		TimeToLive:       value(m.TimeToLive),
		ScheduledAt:      value(m.ScheduledEnqueueTime),
	}
	if p := m.RawAMQPMessage.Properties; p != nil {
		in.ID = idText(p.MessageID)
		in.CorrelationID = idText(p.CorrelationID)
		in.ContentEncoding = value(p.ContentEncoding)
	}
	return in
}

// body returns the first data section. A sender that is not a Service Bus
// client may have put text or bytes into a value section instead.
func body(m *azservicebus.ReceivedMessage) []byte {
	b := m.RawAMQPMessage.Body
	if len(b.Data) > 0 {
		return b.Data[0]
	}
	switch v := b.Value.(type) {
	case string:
		return []byte(v)
	case []byte:
		return v
	}
	return nil
}

// idText returns an identifier as text. AMQP allows four types for it
// (AMQP 1.0 part 3, section 3.2.11 to 3.2.14).
func idText(id any) string {
	switch v := id.(type) {
	case string:
		return v
	case uint64:
		return strconv.FormatUint(v, 10)
	case amqp.UUID:
		return v.String()
	case []byte:
		return hex.EncodeToString(v)
	}
	return ""
}

// receipt translates what the broker says of a message.
func receipt(m *azservicebus.ReceivedMessage) queue.Receipt {
	r := queue.Receipt{
		Count:          1,
		SequenceNumber: value(m.SequenceNumber),
		EnqueuedAt:     value(m.EnqueuedTime),
		LockedUntil:    value(m.LockedUntil),
	}
	if h := m.RawAMQPMessage.Header; h != nil {
		r.Count += int(h.DeliveryCount)
		r.ExpiresAt = expiry(r.EnqueuedAt, h.TTL)
	}
	return r
}

func expiry(enqueued time.Time, ttl time.Duration) time.Time {
	if enqueued.IsZero() || ttl == 0 {
		return time.Time{}
	}
	return enqueued.Add(ttl)
}

// optional returns nil for an empty s: the field is left out.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// value returns what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
