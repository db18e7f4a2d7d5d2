package localbus_test

import (
	"bufio"
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
	nc.SetDeadline(time.Now().Add(5 * time.Minute)) // a busy machine is not late
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
