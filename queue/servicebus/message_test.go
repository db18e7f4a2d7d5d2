package servicebus

import (
	"bytes"
	"maps"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"github.com/signmill/signmill/queue"
)

func TestOutgoingRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 129)
	tests := []struct {
		name    string
		message queue.Message
		want    string // part of the error
	}{
		{"no id", queue.Message{}, "id is missing"},
		{"long id", queue.Message{ID: long}, "id is longer than 128"},
		{"long session id", queue.Message{ID: "x", SessionID: long}, "session id is longer"},
		{"long partition key", queue.Message{ID: "x", PartitionKey: long}, "partition key is longer"},
		{"two files", queue.Message{ID: "x", PartitionKey: "a", SessionID: "b"}, "partition key differs"},
		{"negative time to live", queue.Message{ID: "x", TimeToLive: -1}, "time to live is negative"},
		{"property without a wire form", queue.Message{ID: "x", Properties: map[string]any{"p": []int{1}}}, `property "p": type []int`},
		{"property that is nothing", queue.Message{ID: "x", Properties: map[string]any{"p": nil}}, `property "p"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := outgoingAll([]queue.Message{{ID: "good"}, test.message})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
	if _, err := outgoing(queue.Message{ID: strings.Repeat("é", 128)}); err != nil {
		t.Errorf("id of 128 characters: got %v, want nil", err)
	}
}

// TestOutgoingLeavesOutWhatIsEmpty matters because an empty session ID is a
// session of its own.
func TestOutgoingLeavesOutWhatIsEmpty(t *testing.T) {
	t.Parallel()
	got, err := outgoing(queue.Message{ID: "x"})
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*string{
		"reply to": got.Properties.ReplyTo, "reply session": got.Properties.ReplyToGroupID, "session id": got.Properties.GroupID,
		"subject": got.Properties.Subject, "content type": got.Properties.ContentType, "content encoding": got.Properties.ContentEncoding,
	} {
		if p != nil {
			t.Errorf("%s: got %q, want it left out", name, *p)
		}
	}
	if got.MessageAnnotations != nil {
		t.Errorf("annotations: got %v, want them left out", got.MessageAnnotations)
	}
	if got.Properties.CorrelationID != nil || got.Header != nil || got.ApplicationProperties != nil {
		t.Errorf("got correlation id %v, header %v and properties %v, want all left out", got.Properties.CorrelationID, got.Header, got.ApplicationProperties)
	}
}

func TestPropertyTypes(t *testing.T) {
	t.Parallel()
	when := time.UnixMilli(1)
	id := amqp.UUID{0x12, 15: 0x34}
	tests := []struct {
		name     string
		in, want any // want nil: cannot travel
	}{
		{"string", "s", "s"},
		{"bool", true, true},
		{"time", when, when},
		{"int", int(-1), int64(-1)},
		{"int8", int8(math.MinInt8), int64(math.MinInt8)},
		{"int16", int16(-1), int64(-1)},
		{"int32", int32(-1), int64(-1)},
		{"int64", int64(math.MinInt64), int64(math.MinInt64)},
		{"uint", uint(1), uint64(1)},
		{"uint8", uint8(255), uint64(255)},
		{"uint16", uint16(1), uint64(1)},
		{"uint32", uint32(1), uint64(1)},
		{"uint64", uint64(math.MaxUint64), uint64(math.MaxUint64)},
		{"float32", float32(0.5), float64(0.5)},
		{"float64", 0.1, 0.1},
		{"symbol", amqp.Symbol("s"), "s"},
		{"uuid", id, "12000000-0000-0000-0000-000000000034"},
		{"bytes", []byte("b"), []byte("b")},
		{"list", []any{1}, nil},
		{"nothing", nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := incomingProperties(map[string]any{"p": test.in})["p"]
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("incoming: got %T %v, want %T %v", got, got, test.want, test.want)
			}
			out, err := outgoingProperties(map[string]any{"p": test.in})
			if (err == nil) != (test.want != nil) || !reflect.DeepEqual(out["p"], test.want) {
				t.Errorf("outgoing: got %v and %v, want %v", out, err, test.want)
			}
		})
	}
}

// raw is what other senders may put on the queue.
func raw(change func(*azservicebus.AMQPAnnotatedMessage)) *azservicebus.ReceivedMessage {
	m := &azservicebus.AMQPAnnotatedMessage{}
	change(m)
	return &azservicebus.ReceivedMessage{RawAMQPMessage: m}
}

func TestIncomingBody(t *testing.T) {
	t.Parallel()
	type body = azservicebus.AMQPAnnotatedMessageBody
	tests := []struct {
		name string
		body body
		want string
	}{
		{"nothing", body{}, ""},
		{"one data section", body{Data: [][]byte{[]byte("one")}}, "one"},
		{"two data sections", body{Data: [][]byte{[]byte("one"), []byte("two")}}, "one"},
		{"text value", body{Value: "text"}, "text"},
		{"binary value", body{Value: []byte("bytes")}, "bytes"},
		{"map value", body{Value: map[string]any{"k": 1}}, ""},
		{"sequence", body{Sequence: [][]any{{1}}}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := raw(func(m *azservicebus.AMQPAnnotatedMessage) { m.Body = test.body })
			if got := incoming(m).Body; !bytes.Equal(got, []byte(test.want)) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestIncomingID(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		id   any
		want string
	}{
		{"string", "id", "id"},
		{"number", uint64(math.MaxUint64), "18446744073709551615"},
		{"uuid", amqp.UUID{15: 1}, "00000000-0000-0000-0000-000000000001"},
		{"binary", []byte{0xCA, 0xFE}, "cafe"},
		{"nothing", nil, ""},
		{"something else", 1.5, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := raw(func(m *azservicebus.AMQPAnnotatedMessage) {
				m.Properties = &azservicebus.AMQPAnnotatedMessageProperties{MessageID: test.id, CorrelationID: test.id}
			})
			if got := incoming(m); got.ID != test.want || got.CorrelationID != test.want {
				t.Errorf("got id %q and correlation id %q, want %q", got.ID, got.CorrelationID, test.want)
			}
		})
	}
}

func TestReceipt(t *testing.T) {
	t.Parallel()
	enqueued := time.Unix(1000, 0)
	m := raw(func(m *azservicebus.AMQPAnnotatedMessage) {
		m.Header = &azservicebus.AMQPAnnotatedMessageHeader{DeliveryCount: 2, TTL: time.Minute}
	})
	m.EnqueuedTime = &enqueued
	got := receipt(m)
	if got.Count != 3 || !got.ExpiresAt.Equal(enqueued.Add(time.Minute)) {
		t.Errorf("got %+v, want count 3 and expiry after a minute", got)
	}
	bare := receipt(raw(func(*azservicebus.AMQPAnnotatedMessage) {}))
	if bare.Count != 1 || !bare.ExpiresAt.IsZero() || !bare.LockedUntil.IsZero() {
		t.Errorf("without header: got %+v, want count 1 and no times", bare)
	}
	m.RawAMQPMessage.Header.TTL = 0
	if got := receipt(m); !got.ExpiresAt.IsZero() {
		t.Errorf("without time to live: got expiry %v, want none", got.ExpiresAt)
	}
}

func TestIncomingFields(t *testing.T) {
	t.Parallel()
	ttl, when := time.Minute, time.Unix(1e9, 0)
	m := raw(func(*azservicebus.AMQPAnnotatedMessage) {})
	m.MessageID, m.TimeToLive = "id", &ttl
	m.CorrelationID, m.ReplyTo, m.ReplyToSessionID = optional("c"), optional("r"), optional("rs")
	m.SessionID, m.Subject, m.ContentType = optional("s"), optional("sub"), optional("ct")
	m.PartitionKey, m.ScheduledEnqueueTime = optional("p"), &when
	m.ApplicationProperties = map[string]any{"k": "v"}
	got := incoming(m)
	if !maps.Equal(got.Properties, map[string]any{"k": "v"}) {
		t.Errorf("properties: got %v", got.Properties)
	}
	texts := []string{got.ID, got.CorrelationID, got.ReplyTo, got.ReplyToSessionID, got.SessionID, got.PartitionKey, got.Subject, got.ContentType}
	if text, want := strings.Join(texts, " "), "id c r rs s p sub ct"; text != want || got.TimeToLive != ttl || got.ScheduledAt != when {
		t.Errorf("got %q and %v, want %q and %v", text, got.TimeToLive, want, ttl)
	}
}

// TestSameFile tells what may travel in one batch.
func TestSameFile(t *testing.T) {
	t.Parallel()
	of := func(session, key string) *azservicebus.AMQPAnnotatedMessage {
		m, err := outgoing(queue.Message{ID: "x", SessionID: session, PartitionKey: key})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	tests := map[string]struct {
		a, b *azservicebus.AMQPAnnotatedMessage
		want bool
	}{
		"neither":       {of("", ""), of("", ""), true},
		"one session":   {of("s", ""), of("s", ""), true},
		"two sessions":  {of("s", ""), of("t", ""), false},
		"one key":       {of("", "k"), of("", "k"), true},
		"two keys":      {of("", "k"), of("", "l"), false},
		"a key or none": {of("", "k"), of("", ""), false},
	}
	for name, tt := range tests {
		if got := sameFile(tt.a, tt.b); got != tt.want {
			t.Errorf("%s: got %t, want %t", name, got, tt.want)
		}
	}
}
