package localbus_test

import (
	"testing"

	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/localbus/internal/amqp"
	"github.com/signmill/signmill/queue/localbus/internal/token"
)

// Two links could take the response: the one that is named gets it.
func TestReplyGoesToTheNamedLink(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]uint32{"first": 11, "second": 12} {
		p := openPeer(t, openServer(t))
		p.requestLinks("jobs/$management", "first", "")
		p.write(amqp.Attach{
			Name: "second", Handle: 12, Receiver: true, Source: amqp.NewTerminus(amqp.CodeSource, "jobs/$management"), Target: &amqp.Terminus{Code: amqp.CodeTarget},
		}.Append(nil, 0))
		p.expect(amqp.CodeAttach)
		p.flow(amqp.Flow{Handle: amqp.Some[uint32](11), LinkCredit: amqp.Some[uint32](1)})
		p.flow(amqp.Flow{Handle: amqp.Some[uint32](12), LinkCredit: amqp.Some[uint32](1)})
		for id := range uint32(4) {
			p.request(id, "com.microsoft:peek-message", name, nil)
			p.flow(amqp.Flow{Handle: amqp.Some(want), DeliveryCount: amqp.Some(id), LinkCredit: amqp.Some[uint32](1)})
			f, _ := p.expect(amqp.CodeTransfer)
			if tr, err := amqp.DecodeTransfer(f); err != nil || tr.Handle != want {
				t.Errorf("%s: response on handle %d, error %v, want %d", name, tr.Handle, err, want)
			}
		}
	}
}

// The delivery tag is the lock token in the byte order of a .NET Guid.
func TestDeliveryTagIsTheLockToken(t *testing.T) {
	t.Parallel()
	p := openPeer(t, openServer(t))
	p.attachSender(0, "jobs")
	p.send(0, 0, "x")
	p.expectAccepted(0)
	p.attachReceiver(1, "jobs", 1)
	f, payload := p.expect(amqp.CodeTransfer)
	tr, err := amqp.DecodeTransfer(f)
	if err != nil {
		t.Fatal(err)
	}
	s, err := amqp.ParseMessage(payload)
	if err != nil {
		t.Fatal(err)
	}
	v, _, err := amqp.Decode(s.DeliveryAnnotations)
	if err != nil {
		t.Fatal(err)
	}
	u := v.(amqp.Map).Get("x-opt-lock-token").(amqp.UUID)
	want := []byte{u[3], u[2], u[1], u[0], u[5], u[4], u[7], u[6], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]}
	if string(tr.DeliveryTag) != string(want) {
		t.Errorf("tag %x, want %x for token %s", tr.DeliveryTag, want, u)
	}
}

// A message of several frames stops at the window and goes on behind it.
func TestWindowInsideAMessage(t *testing.T) {
	t.Parallel()
	p := openPeer(t, openServer(t))
	p.attachSender(0, "jobs")
	p.send(0, 0, string(make([]byte, 1000)))
	p.expectAccepted(0)
	p.begin(1, 1)
	p.write(amqp.Attach{Name: "r", Receiver: true, Source: amqp.NewTerminus(amqp.CodeSource, "jobs"), Target: &amqp.Terminus{Code: amqp.CodeTarget}}.Append(nil, 1))
	p.expect(amqp.CodeAttach)
	p.write(amqp.Flow{NextIncomingID: amqp.Some[uint32](1), IncomingWindow: 1, Handle: amqp.Some[uint32](0), LinkCredit: amqp.Some[uint32](1)}.Append(nil, 1))
	p.expect(amqp.CodeTransfer)
	p.write(amqp.Flow{NextIncomingID: amqp.Some[uint32](2), IncomingWindow: 0, Echo: true}.Append(nil, 1))
	p.expect(amqp.CodeFlow) // and no transfer before it
	p.write(amqp.Flow{NextIncomingID: amqp.Some[uint32](2), IncomingWindow: 9}.Append(nil, 1))
	for {
		f, _ := p.expect(amqp.CodeTransfer)
		if tr, err := amqp.DecodeTransfer(f); err != nil || !tr.More {
			break
		}
	}
}

// A management link is open to any right; each operation asks for its own.
func TestOperationsAskForTheirRight(t *testing.T) {
	t.Parallel()
	for operation, rights := range map[string]localbus.Rights{
		"com.microsoft:peek-message":     token.Listen,
		"com.microsoft:schedule-message": token.Send,
	} {
		for _, given := range []localbus.Rights{token.Send, token.Listen} {
			p := plainPeer(t, newServer(t, localbus.Config{
				Queues: queues("jobs"), Rules: []localbus.Rule{{Name: "r", Key: "k", Rights: given}},
			}))
			p.requestLinks("jobs/$management", "in", "")
			p.flow(amqp.Flow{Handle: amqp.Some[uint32](11), LinkCredit: amqp.Some[uint32](1)})
			p.request(1, operation, "in", nil)
			status, _, _ := p.response(1)
			if refused := status == int32(401); refused == (given == rights) {
				t.Errorf("%s with rights %d: status %v", operation, given, status)
			}
		}
	}
}

// plainPeer returns a peer that has logged in with rule r and key k.
func plainPeer(t *testing.T, s *localbus.Server) *peer {
	t.Helper()
	p := rawPeer(t, s)
	p.write([]byte(amqp.ProtocolSASL))
	p.expectHeader(amqp.ProtocolSASL)
	p.expect(amqp.CodeSASLMechanisms)
	p.write(saslInit("PLAIN", "\x00r\x00k"))
	p.expect(amqp.CodeSASLOutcome)
	p.write([]byte(amqp.ProtocolAMQP))
	p.expectHeader(amqp.ProtocolAMQP)
	p.write(amqp.Open{ContainerID: "peer"}.Append(nil))
	p.expect(amqp.CodeOpen)
	p.begin(0, 100)
	return p
}
