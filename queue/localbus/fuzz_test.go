package localbus_test

import (
	"bytes"
	"testing"

	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

// FuzzConnection lets a peer say anything after its open. The server must
// survive it, and wait for all that it started.
func FuzzConnection(f *testing.F) {
	begin := amqp.Begin{IncomingWindow: 3}.Append(nil, 0)
	sender := amqp.Attach{Name: "s", Target: amqp.NewTerminus(amqp.CodeTarget, "jobs"), Source: &amqp.Terminus{Code: amqp.CodeSource}}.Append(begin, 0)
	transfer := &amqp.Transfer{DeliveryID: amqp.Some[uint32](0), DeliveryTag: []byte{1}}
	sent := transfer.Append(bytes.Clone(sender), 0, encode("x"))
	receiver := amqp.Attach{Name: "r", Handle: 1, Receiver: true, Source: amqp.NewTerminus(amqp.CodeSource, "jobs"), Target: &amqp.Terminus{Code: amqp.CodeTarget}}
	both := receiver.Append(bytes.Clone(sent), 0)
	both = amqp.Flow{NextIncomingID: amqp.Some[uint32](1), IncomingWindow: 9, Handle: amqp.Some[uint32](1), LinkCredit: amqp.Some[uint32](9), Drain: true}.Append(both, 0)
	settled := &amqp.Disposition{Receiver: true, Last: amqp.Some[uint32](1 << 31), State: amqp.State{Code: amqp.CodeModified, DeliveryFailed: true}}
	both = settled.Append(both, 0)
	session := amqp.Attach{
		Name: "w", Receiver: true, Target: &amqp.Terminus{Code: amqp.CodeTarget},
		Source: amqp.NewTerminus(amqp.CodeSource, "sessions").WithFilter(amqp.Map{{Key: amqp.Symbol("com.microsoft:session-filter")}}),
	}.Append(bytes.Clone(begin), 0)
	for _, b := range [][]byte{
		begin, sender, sent, both, session, managementRequests(begin),
		amqp.Detach{Closed: true}.Append(bytes.Clone(sent), 0), amqp.End{}.Append(bytes.Clone(both), 0), amqp.Close{}.Append(bytes.Clone(session)),
	} {
		f.Add(b)
	}
	c := openConfig("jobs", "sessions")
	c.Queues[1].RequiresSession = true
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := localbus.New(c)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		peer := &scripted{in: bytes.NewReader(append(opening(), b...)), writes: 1 << 30, closed: make(chan struct{})}
		if err := s.ServeAMQP(t.Context(), peer); err != nil {
			t.Log(err)
		}
	})
}

// managementRequests asks for a few operations with arguments.
func managementRequests(b []byte) []byte {
	b = amqp.Attach{Name: "out", Source: &amqp.Terminus{Code: amqp.CodeSource}, Target: amqp.NewTerminus(amqp.CodeTarget, "jobs/$management")}.Append(bytes.Clone(b), 0)
	b = amqp.Attach{Name: "in", Handle: 1, Receiver: true, Source: amqp.NewTerminus(amqp.CodeSource, "jobs/$management"), Target: &amqp.Terminus{Code: amqp.CodeTarget}}.Append(b, 0)
	b = amqp.Flow{NextIncomingID: amqp.Some[uint32](1), IncomingWindow: 9, Handle: amqp.Some[uint32](1), LinkCredit: amqp.Some[uint32](9)}.Append(b, 0)
	for id, operation := range []string{"peek-message", "receive-by-sequence-number", "schedule-message", "update-disposition", "set-session-state"} {
		w := amqp.OpenMap(nil, amqp.ApplicationProperties)
		w.String("operation", "com.microsoft:"+operation)
		body := amqp.AppendValueBody(w.Close(), amqp.Map{
			{Key: "message-count", Value: int32(3)},
			{Key: "sequence-numbers", Value: amqp.Array{Code: amqp.ArrayOfLong, Items: []any{int64(1)}}},
			{Key: "lock-tokens", Value: amqp.Array{Code: amqp.ArrayOfUUID, Items: []any{amqp.UUID{1}}}},
			{Key: "disposition-status", Value: "suspended"},
			{Key: "session-id", Value: "A"},
			{Key: "messages", Value: []any{amqp.Map{{Key: "message", Value: encode("x")}}}},
		})
		tr := &amqp.Transfer{DeliveryID: amqp.Some(uint32(id)), DeliveryTag: []byte{1}}
		b = tr.Append(b, 0, body)
	}
	return b
}
