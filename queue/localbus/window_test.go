package localbus_test

import (
	"math"
	"strings"
	"testing"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

// transfer reads a transfer and returns it with its payload.
func (p *peer) transfer() (amqp.Transfer, []byte) {
	p.t.Helper()
	f, payload := p.expect(amqp.CodeTransfer)
	tr, err := amqp.DecodeTransfer(f)
	if err != nil {
		p.t.Fatal(err)
	}
	return tr, payload
}

// idle fails the test if the peer gets anything but the answer to an echo.
func (p *peer) idle(v amqp.Flow) {
	p.t.Helper()
	v.Echo = true
	p.write(v.Append(nil, 0))
	p.expect(amqp.CodeFlow)
}

// TestDeliveryIDsOfLinksThatShareAWindow stops one link inside a message and
// lets both go on: ids are unique in a session, whoever is first.
func TestDeliveryIDsOfLinksThatShareAWindow(t *testing.T) {
	t.Parallel()
	s := newServer(t, openConfig("jobs", "other"))
	for range 20 { // which link goes on first is left to chance
		p := openPeer(t, s)
		for handle, queue := range []string{"jobs", "other"} {
			p.attachSender(uint32(handle), queue)
			p.send(uint32(handle), uint32(handle), strings.Repeat("x", 300))
			p.expectAccepted(uint32(handle))
			p.write(amqp.Detach{Handle: uint32(handle), Closed: true}.Append(nil, 0))
			p.expect(amqp.CodeDetach)
		}
		p.write((&amqp.Flow{NextIncomingID: amqp.Some[uint32](1), IncomingWindow: 0}).Append(nil, 0))
		for handle, queue := range []string{"jobs", "other"} {
			p.attachReceiver(uint32(handle), queue, 0)
			v := amqp.Flow{NextIncomingID: amqp.Some[uint32](1), Handle: amqp.Some(uint32(handle)), LinkCredit: amqp.Some[uint32](1)}
			p.write(v.Append(nil, 0))
		}
		p.write(amqp.Flow{NextIncomingID: amqp.Some[uint32](1), IncomingWindow: 1}.Append(nil, 0))
		ids := map[uint32]bool{}
		for n := uint32(2); len(ids) < 2; n++ {
			tr, _ := p.transfer()
			if tr.DeliveryID.Set {
				if ids[tr.DeliveryID.Value] {
					t.Fatalf("delivery id %d comes twice", tr.DeliveryID.Value)
				}
				ids[tr.DeliveryID.Value] = true
			}
			p.write(amqp.Flow{NextIncomingID: amqp.Some(n), IncomingWindow: 1}.Append(nil, 0))
		}
		p.nc.Close()
	}
}

func TestCreditArithmetic(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		count, credit uint32
		window        uint32
		next          uint32
		want          int
	}{
		{"greatest credit and window", 0, math.MaxUint32, math.MaxUint32, 1, 3},
		{"credit of half the range", 0, 1 << 31, 100, 1, 3},
		{"count ahead of ours", 5, 2, 100, 1, 2},
		{"window ahead of ours", 0, 10, 2, 9, 2},
		{"count before the first", math.MaxUint32, 3, 100, 1, 2},
		{"window before the first", 0, 3, 3, 0, 2},
		{"window that has shrunk", 0, 3, 3, math.MaxUint32 - 9, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := openPeer(t, openServer(t))
			p.attachSender(0, "jobs")
			for id := range uint32(3) {
				p.send(0, id, "x")
				p.expectAccepted(id)
			}
			p.attachReceiver(1, "jobs", 0)
			v := amqp.Flow{
				NextIncomingID: amqp.Some(tt.next), IncomingWindow: tt.window,
				Handle: amqp.Some[uint32](1), DeliveryCount: amqp.Some(tt.count), LinkCredit: amqp.Some(tt.credit),
			}
			p.write(v.Append(nil, 0))
			for range tt.want {
				p.transfer()
			}
			p.idle(amqp.Flow{NextIncomingID: amqp.Some(uint32(1 + tt.want)), IncomingWindow: 0})
		})
	}
}

func TestCreditTakenBackInsideAMessage(t *testing.T) {
	t.Parallel()
	p := openPeer(t, openServer(t))
	p.attachSender(0, "jobs")
	for id := range uint32(3) {
		p.send(0, id, strings.Repeat("x", 300))
		p.expectAccepted(id)
	}
	p.attachReceiver(1, "jobs", 0)
	link := amqp.Flow{NextIncomingID: amqp.Some[uint32](1), IncomingWindow: 1, Handle: amqp.Some[uint32](1), LinkCredit: amqp.Some[uint32](3)}
	p.write(link.Append(nil, 0))
	if tr, _ := p.transfer(); !tr.More {
		t.Fatal("the message fits into one frame")
	}
	link.NextIncomingID, link.IncomingWindow, link.LinkCredit = amqp.Some[uint32](2), 100, amqp.Some[uint32](0)
	p.write(link.Append(nil, 0))
	if tr, _ := p.transfer(); tr.More {
		t.Fatal("the message has a third frame")
	}
	p.idle(amqp.Flow{NextIncomingID: amqp.Some[uint32](3), IncomingWindow: 100})
}
