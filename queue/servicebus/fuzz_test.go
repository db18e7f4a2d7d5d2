package servicebus

import (
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"
)

// FuzzIncoming translates any AMQP message that the client can decode. What
// comes out has simple properties only, and can be sent again once it has an id.
func FuzzIncoming(f *testing.F) {
	for _, m := range oddMessages() {
		b, err := m.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(describedProperty)
	f.Fuzz(func(t *testing.T, b []byte) {
		var m amqp.Message
		if m.UnmarshalBinary(b) != nil {
			t.Skip()
		}
		received := receivedAs(&m)
		in := incoming(received)
		receipt(received)
		for name, v := range in.Properties {
			switch v.(type) {
			case string, []byte, bool, time.Time, int64, uint64, float64:
			default:
				t.Errorf("property %q has type %T", name, v)
			}
		}
		in.ID, in.SessionID, in.TimeToLive = "id", "", 0
		out, err := outgoing(in)
		if err != nil {
			t.Fatalf("it cannot be sent again: %v", err)
		}
		if out.Properties == nil || out.Properties.MessageID == nil {
			t.Error("it has lost its id")
		}
	})
}

// receivedAs is what the client makes of a message, as far as we read it.
func receivedAs(m *amqp.Message) *azservicebus.ReceivedMessage {
	r := &azservicebus.ReceivedMessage{
		ApplicationProperties: m.ApplicationProperties,
		RawAMQPMessage: &azservicebus.AMQPAnnotatedMessage{
			ApplicationProperties: m.ApplicationProperties,
			Body:                  azservicebus.AMQPAnnotatedMessageBody{Data: m.Data, Sequence: m.Sequence, Value: m.Value},
		},
	}
	if h := m.Header; h != nil {
		r.RawAMQPMessage.Header = &azservicebus.AMQPAnnotatedMessageHeader{DeliveryCount: h.DeliveryCount, TTL: h.TTL}
	}
	if p := m.Properties; p != nil {
		r.CorrelationID, _ = p.CorrelationID.(*string)
		r.ReplyTo, r.ReplyToSessionID, r.SessionID, r.Subject, r.ContentType = p.ReplyTo, p.ReplyToGroupID, p.GroupID, p.Subject, p.ContentType
		r.RawAMQPMessage.Properties = &azservicebus.AMQPAnnotatedMessageProperties{
			MessageID: p.MessageID, CorrelationID: p.CorrelationID, ContentEncoding: p.ContentEncoding,
		}
	}
	return r
}

// describedProperty is a message with the property p of a described type
// (AMQP 1.0 part 1, section 1.3.2), which the client decodes and cannot send.
var describedProperty = []byte{0, 0x53, 0x74, 0xc1, 10, 2, 0xa1, 1, 'p', 0, 0x53, 7, 0xa1, 1, 'x'}

// oddMessages have properties, identifiers and bodies of every type.
func oddMessages() (odd []*amqp.Message) {
	values := []any{
		nil, true, uint8(1), uint16(1), uint32(1), uint64(1 << 63), int8(-1), int16(-1), int32(-1), int64(-1 << 63), float32(1.5), 1e308,
		time.Unix(-1<<30, 0), amqp.UUID{1}, []byte{0xff}, "\u202e\x00", amqp.Symbol("s"), []any{int64(1), []any{"x"}}, []string{"a"}, []int32{1},
		map[string]any{"a": map[string]any{"b": "c"}}, map[any]any{int32(1): "x"},
	}
	for _, v := range values {
		odd = append(odd,
			&amqp.Message{ApplicationProperties: map[string]any{"p": v}, Data: [][]byte{[]byte("x")}},
			&amqp.Message{Value: v, Header: &amqp.MessageHeader{DeliveryCount: 1 << 31, TTL: time.Hour}},
		)
	}
	for _, id := range []any{"id", uint64(7), amqp.UUID{7}, []byte{7}} {
		odd = append(odd, &amqp.Message{Properties: &amqp.MessageProperties{MessageID: id, CorrelationID: id}, Sequence: [][]any{{"x"}}})
	}
	return odd
}
