package localbus_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

// peer speaks AMQP frame by frame.
type peer struct {
	t      *testing.T
	server *localbus.Server // nil: reached another way
	nc     net.Conn
	in     *bufio.Reader
}

func rawPeer(t *testing.T, s *localbus.Server) *peer {
	t.Helper()
	nc, err := s.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := newPeer(t, nc)
	p.server = s
	return p
}

func newPeer(t *testing.T, nc net.Conn) *peer {
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	return &peer{t: t, nc: nc, in: bufio.NewReader(nc)}
}

// openPeer returns a peer with an open connection and a session on channel 0.
// The server must have open access.
func openPeer(t *testing.T, s *localbus.Server) *peer {
	t.Helper()
	return rawPeer(t, s).greet()
}

// greet opens the connection and a session on channel 0.
func (p *peer) greet() *peer {
	p.t.Helper()
	p.write([]byte(amqp.ProtocolAMQP))
	p.expectHeader(amqp.ProtocolAMQP)
	p.write(amqp.Open{ContainerID: "peer", MaxFrameSize: amqp.Some[uint32](512)}.Append(nil))
	p.expect(amqp.CodeOpen)
	p.begin(0, 100)
	return p
}

func (p *peer) begin(channel uint16, window uint32) {
	p.t.Helper()
	p.write(amqp.Begin{IncomingWindow: window, OutgoingWindow: 100}.Append(nil, channel))
	f, _ := p.expect(amqp.CodeBegin)
	b, err := amqp.DecodeBegin(f)
	if err != nil || b.RemoteChannel != amqp.Some(channel) {
		p.t.Fatalf("begin %+v, error %v", b, err)
	}
}

func (p *peer) write(b []byte) {
	p.t.Helper()
	if _, err := p.nc.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) expectHeader(want string) {
	p.t.Helper()
	b := make([]byte, amqp.HeaderSize)
	if _, err := io.ReadFull(p.in, b); err != nil || string(b) != want {
		p.t.Fatalf("protocol header %q, error %v, want %q", b, err, want)
	}
}

// next returns the next frame that is not empty.
func (p *peer) next() (code byte, f amqp.Fields, payload []byte) {
	p.t.Helper()
	for {
		var size [4]byte
		if _, err := io.ReadFull(p.in, size[:]); err != nil {
			p.t.Fatalf("read frame: %v", err)
		}
		rest := make([]byte, binary.BigEndian.Uint32(size[:])-4)
		if _, err := io.ReadFull(p.in, rest); err != nil {
			p.t.Fatalf("read frame: %v", err)
		}
		if len(rest) == 4 {
			continue
		}
		code, f, payload, err := amqp.Parse(rest[4:])
		if err != nil {
			p.t.Fatal(err)
		}
		return code, f, payload
	}
}

func (p *peer) expect(want byte) (amqp.Fields, []byte) {
	p.t.Helper()
	code, f, payload := p.next()
	if code != want {
		p.t.Fatalf("performative 0x%02x, want 0x%02x", code, want)
	}
	return f, payload
}

// expectEOF fails unless the server hangs up.
func (p *peer) expectEOF() {
	p.t.Helper()
	if b, err := io.ReadAll(p.in); err != nil {
		p.t.Errorf("after %d bytes: %v", len(b), err)
	}
}

// expectError reads a close, end or detach and checks its condition.
func (p *peer) expectError(code byte, want amqp.Symbol) {
	p.t.Helper()
	f, _ := p.expect(code)
	var e *amqp.Error
	switch code {
	case amqp.CodeClose:
		c, _ := amqp.DecodeClose(f)
		e = c.Error
	case amqp.CodeEnd:
		c, _ := amqp.DecodeEnd(f)
		e = c.Error
	case amqp.CodeDetach:
		c, _ := amqp.DecodeDetach(f)
		e = c.Error
	}
	if e == nil || e.Condition != want {
		p.t.Errorf("error %v, want %s", e, want)
	}
}

// attachSender attaches a sending link and waits for credit.
func (p *peer) attachSender(handle uint32, address string) {
	p.t.Helper()
	p.write(amqp.Attach{Name: "s", Handle: handle, Source: &amqp.Terminus{Code: amqp.CodeSource}, Target: amqp.NewTerminus(amqp.CodeTarget, address)}.Append(nil, 0))
	f, _ := p.expect(amqp.CodeAttach)
	a, err := amqp.DecodeAttach(f)
	if err != nil || a.Target == nil || !a.Receiver || a.MaxMessageSize != 262144 {
		p.t.Fatalf("attach %+v, error %v", a, err)
	}
	f, _ = p.expect(amqp.CodeFlow)
	if v, _ := amqp.DecodeFlow(f); v.LinkCredit != amqp.Some[uint32](1000) || !v.NextIncomingID.Set || !v.DeliveryCount.Set {
		p.t.Fatalf("flow %+v", v)
	}
}

// attachReceiver attaches a receiving link with credit.
func (p *peer) attachReceiver(handle uint32, address string, credit uint32) {
	p.t.Helper()
	p.write(amqp.Attach{
		Name: "r", Handle: handle, Receiver: true, ReceiverSettleMode: amqp.Some(amqp.ReceiverSecond),
		Source: amqp.NewTerminus(amqp.CodeSource, address), Target: &amqp.Terminus{Code: amqp.CodeTarget},
	}.Append(nil, 0))
	f, _ := p.expect(amqp.CodeAttach)
	a, err := amqp.DecodeAttach(f)
	if err != nil || a.Source == nil || a.ReceiverSettleMode != amqp.Some(amqp.ReceiverSecond) || !a.InitialDeliveryCount.Set {
		p.t.Fatalf("attach %+v, error %v", a, err)
	}
	if credit > 0 {
		p.flow(amqp.Flow{Handle: amqp.Some(handle), LinkCredit: amqp.Some(credit)})
	}
}

// flow writes a flow with the first numbers of a session.
func (p *peer) flow(v amqp.Flow) {
	p.t.Helper()
	if !v.NextIncomingID.Set {
		v.NextIncomingID = amqp.Some[uint32](1)
	}
	if v.IncomingWindow == 0 {
		v.IncomingWindow = 100
	}
	p.write(v.Append(nil, 0))
}

// send writes a message in one frame.
func (p *peer) send(handle, id uint32, body string) {
	p.t.Helper()
	t := amqp.Transfer{Handle: handle, DeliveryID: amqp.Some(id), DeliveryTag: []byte{byte(id)}}
	p.write(t.Append(nil, 0, encode(body)))
}

func encode(body string) []byte {
	return amqp.AppendSection(nil, 0x75, amqp.AppendBinary(nil, []byte(body)))
}

func (p *peer) expectAccepted(first uint32) {
	p.t.Helper()
	f, _ := p.expect(amqp.CodeDisposition)
	d, err := amqp.DecodeDisposition(f)
	if err != nil || d.First != first || !d.Settled || d.State.Code != amqp.CodeAccepted {
		p.t.Fatalf("disposition %+v, error %v", d, err)
	}
}

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
