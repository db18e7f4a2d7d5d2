package localbus_test

import (
	"context"
	"encoding/binary"
	"net"
	"testing"

	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

func openConfig(names ...string) localbus.Config {
	return localbus.Config{OpenAccess: true, Queues: queues(names...)}
}

func openServer(t *testing.T) *localbus.Server {
	return newServer(t, openConfig("jobs"))
}

func TestSASLIsAskedFor(t *testing.T) {
	t.Parallel()
	p := rawPeer(t, newServer(t, localbus.Config{}))
	p.write([]byte(amqp.ProtocolAMQP))
	p.expectHeader(amqp.ProtocolSASL)
	p.expectEOF()
}

func TestWrongProtocol(t *testing.T) {
	t.Parallel()
	p := rawPeer(t, openServer(t))
	p.write([]byte("GET / HTTP/1.1\r\n"))
	p.expectHeader(amqp.ProtocolSASL)
	p.expectEOF()
}

// saslInit returns a frame that chooses a mechanism.
func saslInit(mechanism amqp.Symbol, response string) []byte {
	body := amqp.Append(nil, amqp.Described{Descriptor: uint64(amqp.CodeSASLInit), Value: []any{mechanism, []byte(response)}})
	head := binary.BigEndian.AppendUint32(nil, uint32(len(body)+8))
	return append(append(head, 2, 1, 0, 0), body...)
}

func TestPlainLogin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		key  string
		want amqp.SASLOutcome
	}{{"SAS_KEY_VALUE", 0}, {"wrong", 1}} {
		p := rawPeer(t, newServer(t, localbus.Config{}))
		p.write([]byte(amqp.ProtocolSASL))
		p.expectHeader(amqp.ProtocolSASL)
		p.expect(amqp.CodeSASLMechanisms)
		p.write(saslInit("PLAIN", "\x00RootManageSharedAccessKey\x00"+tt.key))
		f, _ := p.expect(amqp.CodeSASLOutcome)
		if got, _ := amqp.DecodeSASLOutcome(f); got != tt.want {
			t.Errorf("key %q: outcome %d, want %d", tt.key, got, tt.want)
		}
	}
}

func TestMultiFrameBothWays(t *testing.T) {
	t.Parallel()
	p := openPeer(t, openServer(t))
	p.attachSender(0, "jobs")
	whole := encode(string(make([]byte, 2000)))
	first := amqp.Transfer{Handle: 0, DeliveryID: amqp.Some[uint32](0), DeliveryTag: []byte{1}, More: true}
	p.write(first.Append(nil, 0, whole[:700]))
	p.write((&amqp.Transfer{Handle: 0, More: true}).Append(nil, 0, whole[700:1500]))
	p.write((&amqp.Transfer{Handle: 0}).Append(nil, 0, whole[1500:]))
	p.expectAccepted(0)

	p.attachReceiver(1, "jobs", 1)
	var got []byte
	for n := 0; ; n++ {
		f, payload := p.expect(amqp.CodeTransfer)
		tr, err := amqp.DecodeTransfer(f)
		if err != nil || tr.DeliveryID.Set != (n == 0) || len(payload) > 512 {
			t.Fatalf("frame %d: %+v with %d bytes, error %v", n, tr, len(payload), err)
		}
		if got = append(got, payload...); !tr.More {
			break
		}
	}
	s, err := amqp.ParseMessage(got)
	if err != nil || string(s.Body) != string(whole) {
		t.Errorf("body of %d bytes came back with %d, error %v", len(whole), len(s.Body), err)
	}
}

func TestIncomingWindowOfThePeer(t *testing.T) {
	t.Parallel()
	p := openPeer(t, openServer(t))
	p.attachSender(0, "jobs")
	for id := range uint32(5) {
		p.send(0, id, "x")
		p.expectAccepted(id)
	}
	p.begin(1, 2)
	p.write(amqp.Attach{Name: "r", Receiver: true, Source: amqp.NewTerminus(amqp.CodeSource, "jobs"), Target: &amqp.Terminus{Code: amqp.CodeTarget}}.Append(nil, 1))
	p.expect(amqp.CodeAttach)
	p.write(amqp.Flow{NextIncomingID: amqp.Some[uint32](1), IncomingWindow: 2, Handle: amqp.Some[uint32](0), LinkCredit: amqp.Some[uint32](10)}.Append(nil, 1))
	p.expect(amqp.CodeTransfer)
	p.expect(amqp.CodeTransfer)
	p.write(amqp.Flow{NextIncomingID: amqp.Some[uint32](3), IncomingWindow: 1, Echo: true}.Append(nil, 1))
	p.expect(amqp.CodeFlow)
	p.expect(amqp.CodeTransfer)
	p.write(amqp.Flow{NextIncomingID: amqp.Some[uint32](4), IncomingWindow: 0, Echo: true}.Append(nil, 1))
	p.expect(amqp.CodeFlow) // and no transfer before it
}

func TestDrain(t *testing.T) {
	t.Parallel()
	p := openPeer(t, openServer(t))
	p.attachReceiver(0, "jobs", 0)
	p.flow(amqp.Flow{Handle: amqp.Some[uint32](0), LinkCredit: amqp.Some[uint32](7), Drain: true})
	f, _ := p.expect(amqp.CodeFlow)
	v, _ := amqp.DecodeFlow(f)
	if !v.Drain || v.LinkCredit != amqp.Some[uint32](0) || v.DeliveryCount != amqp.Some[uint32](7) {
		t.Errorf("flow %+v, want drain with delivery count 7 and no credit", v)
	}
}

func TestRangeDisposition(t *testing.T) {
	t.Parallel()
	p := openPeer(t, openServer(t))
	p.attachSender(0, "jobs")
	for id := range uint32(3) {
		p.send(0, id, "x")
		p.expectAccepted(id)
	}
	p.attachReceiver(1, "jobs", 3)
	for range 3 {
		p.expect(amqp.CodeTransfer)
	}
	all := amqp.Disposition{Receiver: true, First: 0, Last: amqp.Some[uint32](1 << 31), State: amqp.State{Code: amqp.CodeAccepted}}
	p.write(all.Append(nil, 0))
	f, _ := p.expect(amqp.CodeDisposition)
	d, err := amqp.DecodeDisposition(f)
	if err != nil || d.Receiver || d.First != 0 || d.Last != amqp.Some[uint32](2) || !d.Settled {
		t.Errorf("disposition %+v, error %v; want one for 0 to 2", d, err)
	}
}

func TestReleasedComesBackWithTheSameCount(t *testing.T) {
	t.Parallel()
	p := openPeer(t, openServer(t))
	p.attachSender(0, "jobs")
	p.send(0, 0, "x")
	p.expectAccepted(0)
	p.attachReceiver(1, "jobs", 5)
	p.expect(amqp.CodeTransfer)
	released := amqp.Disposition{Receiver: true, Settled: true, State: amqp.State{Code: amqp.CodeReleased}}
	p.write(released.Append(nil, 0))
	_, payload := p.expect(amqp.CodeTransfer)
	s, err := amqp.ParseMessage(payload)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := amqp.DecodeHeader(s.Header); err != nil || h.DeliveryCount != 0 {
		t.Errorf("delivery count %d, error %v, want 0", h.DeliveryCount, err)
	}
}

func TestProtocolErrors(t *testing.T) {
	t.Parallel()
	receiverTo := func(address string) []byte {
		return amqp.Attach{Name: "x", Handle: 9, Receiver: true, Source: amqp.NewTerminus(amqp.CodeSource, address), Target: &amqp.Terminus{Code: amqp.CodeTarget}}.Append(nil, 0)
	}
	tests := []struct {
		name  string
		frame []byte
		code  byte
		want  amqp.Symbol
	}{
		{"unknown channel", amqp.Flow{}.Append(nil, 44), amqp.CodeClose, "amqp:not-allowed"},
		{"begin twice", amqp.Begin{}.Append(nil, 0), amqp.CodeClose, "amqp:not-allowed"},
		{"garbage", append([]byte{0, 0, 0, 12, 2, 0, 0, 0}, 1, 2, 3, 4), amqp.CodeClose, "amqp:connection:framing-error"},
		{"frame too large", []byte{1, 0, 0, 0, 2, 0, 0, 0}, amqp.CodeClose, "amqp:connection:framing-error"},
		{"handle in use", amqp.Attach{Name: "y"}.Append(nil, 0), amqp.CodeEnd, "amqp:session:handle-in-use"},
		{"unattached flow", amqp.Flow{Handle: amqp.Some[uint32](8)}.Append(nil, 0), amqp.CodeEnd, "amqp:session:unattached-handle"},
		{"unattached transfer", (&amqp.Transfer{Handle: 8}).Append(nil, 0, nil), amqp.CodeEnd, "amqp:session:unattached-handle"},
		{"unattached detach", amqp.Detach{Handle: 8}.Append(nil, 0), amqp.CodeEnd, "amqp:session:unattached-handle"},
		{"transfer without id", (&amqp.Transfer{}).Append(nil, 0, nil), amqp.CodeEnd, "amqp:not-allowed"},
		{"unknown queue", receiverTo("nowhere"), amqp.CodeDetach, "amqp:not-found"},
		{"transaction", amqp.Attach{Name: "t", Handle: 9, Target: &amqp.Terminus{Code: amqp.CodeCoordinator}}.Append(nil, 0), amqp.CodeDetach, "amqp:not-implemented"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := openPeer(t, openServer(t))
			p.attachSender(0, "jobs")
			p.write(tt.frame)
			if tt.code == amqp.CodeDetach {
				f, _ := p.expect(amqp.CodeAttach)
				if a, _ := amqp.DecodeAttach(f); a.Source != nil || a.Target != nil {
					t.Errorf("refusal with source %v and target %v", a.Source, a.Target)
				}
			}
			p.expectError(tt.code, tt.want)
		})
	}
}

func TestMalformedMessageIsRejected(t *testing.T) {
	t.Parallel()
	p := openPeer(t, openServer(t))
	p.attachSender(0, "jobs")
	tr := amqp.Transfer{DeliveryID: amqp.Some[uint32](0), DeliveryTag: []byte{1}}
	p.write(tr.Append(nil, 0, []byte("nonsense")))
	f, _ := p.expect(amqp.CodeDisposition)
	d, err := amqp.DecodeDisposition(f)
	if err != nil || d.State.Code != amqp.CodeRejected || d.State.Error.Condition != "amqp:decode-error" {
		t.Errorf("disposition %+v, error %v", d, err)
	}
}

// A message that is too large is refused when it is complete, and the link goes
// on. A sender that takes no answers loses its link.
func TestTooLargeMessageIsRejected(t *testing.T) {
	t.Parallel()
	s := newServer(t, localbus.Config{OpenAccess: true, Queues: []localbus.Queue{{Name: "jobs", QueueProperties: localbus.QueueProperties{MaxMessageBytes: 1024}}}})
	p := openPeer(t, s)
	p.write(amqp.Attach{Name: "s", Source: &amqp.Terminus{Code: amqp.CodeSource}, Target: amqp.NewTerminus(amqp.CodeTarget, "jobs")}.Append(nil, 0))
	p.expect(amqp.CodeAttach)
	p.expect(amqp.CodeFlow)
	large := func(id uint32, settled bool) {
		tr := amqp.Transfer{DeliveryID: amqp.Some(id), DeliveryTag: []byte{1}, Settled: amqp.Some(settled), More: true}
		p.write(tr.Append(nil, 0, make([]byte, 1000)))
		p.write((&amqp.Transfer{More: true}).Append(nil, 0, make([]byte, 1000)))
		p.write((&amqp.Transfer{}).Append(nil, 0, make([]byte, 10)))
	}
	large(0, false)
	f, _ := p.expect(amqp.CodeDisposition)
	d, err := amqp.DecodeDisposition(f)
	const text = "The received message (delivery-id:0, size:2010 bytes) exceeds the limit (1024 bytes) currently allowed on the link."
	if err != nil || d.State.Error == nil || d.State.Error.Condition != "amqp:link:message-size-exceeded" || d.State.Error.Description != text {
		t.Errorf("disposition %+v, error %v", d, err)
	}
	p.send(0, 1, "x")
	p.expectAccepted(1)
	large(2, true)
	p.expectError(amqp.CodeDetach, "amqp:link:message-size-exceeded")
}

// The end of a session frees its links without a detach.
func TestEndFreesLinks(t *testing.T) {
	t.Parallel()
	p := openPeer(t, openServer(t))
	p.attachSender(0, "jobs")
	p.write(amqp.End{}.Append(nil, 0))
	p.expect(amqp.CodeEnd)
	p.begin(0, 100)
	p.attachSender(0, "jobs")
	p.write(amqp.Close{}.Append(nil))
	p.expect(amqp.CodeClose)
	p.expectEOF()
}

func TestOneTokenLinkPerDirection(t *testing.T) {
	t.Parallel()
	p := openPeer(t, openServer(t))
	token := func(handle uint32) []byte {
		return amqp.Attach{Name: "c", Handle: handle, Source: &amqp.Terminus{Code: amqp.CodeSource}, Target: amqp.NewTerminus(amqp.CodeTarget, "$cbs")}.Append(nil, 0)
	}
	p.write(token(0))
	p.expect(amqp.CodeAttach)
	f, _ := p.expect(amqp.CodeFlow)
	if v, _ := amqp.DecodeFlow(f); v.LinkCredit != amqp.Some[uint32](100) {
		t.Errorf("credit %v, want 100", v.LinkCredit)
	}
	p.write(token(1))
	p.expect(amqp.CodeAttach)
	p.expectError(amqp.CodeDetach, "amqp:not-allowed")
	p.write(amqp.Detach{Handle: 0, Closed: true}.Append(nil, 0))
	p.expect(amqp.CodeDetach)
	p.write(token(2))
	p.expect(amqp.CodeAttach)
	p.expect(amqp.CodeFlow)
}

func TestServeAMQPEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := openServer(t)
	client, server := net.Pipe()
	defer client.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.ServeAMQP(ctx, server) }()
	cancel()
	if err := <-done; err != nil {
		t.Logf("ended with %v", err)
	}
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still open")
	}
}
