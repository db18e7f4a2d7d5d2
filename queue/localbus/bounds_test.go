package localbus_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

// This test measures the heap, so that it runs alone.
func TestRestOfABatchDoesNotHoldTheBatch(t *testing.T) {
	const rounds = 100
	p := openPeer(t, openServer(t))
	p.attachSender(0, "jobs")
	p.attachReceiver(1, "jobs", 0)
	batch := amqp.AppendSection(encode(string(encode(strings.Repeat("x", 50_000)))), 0x75, amqp.AppendBinary(nil, encode("small")))
	batch = batch[:len(batch):len(batch)]
	before := heap()
	for n := range uint32(rounds) {
		tr := amqp.Transfer{DeliveryID: amqp.Some(n), DeliveryTag: []byte{1}, MessageFormat: amqp.Some[uint32](0x80013700)}
		p.write(tr.Append(nil, 0, batch))
		p.expectAccepted(n)
	}
	p.settleLarge(rounds)
	if grown := heap() - before; grown > rounds*25_000 {
		t.Errorf("%d small messages hold %d bytes", rounds, grown)
	}
}

// settleLarge completes the first of each two messages and keeps the others.
func (p *peer) settleLarge(rounds uint32) {
	p.t.Helper()
	next := uint32(1)
	for n := range 2 * rounds {
		p.write(amqp.Flow{
			NextIncomingID: amqp.Some(next), IncomingWindow: 1000,
			Handle: amqp.Some[uint32](1), DeliveryCount: amqp.Some(n), LinkCredit: amqp.Some[uint32](1),
		}.Append(nil, 0))
		for more := true; more; next++ {
			tr, _ := p.transfer()
			more = tr.More
		}
		if n%2 == 0 {
			d := amqp.Disposition{Receiver: true, First: n, Settled: true, State: amqp.State{Code: amqp.CodeAccepted}}
			p.write(d.Append(nil, 0))
		}
	}
	p.idle(amqp.Flow{NextIncomingID: amqp.Some(next), IncomingWindow: 1000})
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestResponsesThatWaitAreBounded never gives credit for the responses.
func TestResponsesThatWaitAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, responsesThatWaitAreBounded) // so that the peer's deadline is no matter of speed
}

func responsesThatWaitAreBounded(t *testing.T) {
	p := openPeer(t, openServer(t))
	p.attachSender(0, "jobs")
	for n := range uint32(100) {
		p.send(0, n, strings.Repeat("x", 50_000))
		p.expectAccepted(n)
	}
	p.requestLinks("jobs/$management", "box", "")
	for n := range uint32(40) {
		p.request(n, "com.microsoft:peek-message", "box", amqp.Map{{Key: "message-count", Value: int32(100)}})
	}
	p.write(amqp.Flow{NextIncomingID: amqp.Some[uint32](1), Echo: true}.Append(nil, 0))
	p.expect(amqp.CodeFlow)
	if held := p.server.Waiting(); held > 72<<20 {
		t.Errorf("%d bytes of responses wait", held)
	}
}

func TestLinksOfAConnectionAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, linksOfAConnectionAreBounded) // so that the peer's deadline is no matter of speed
}

func linksOfAConnectionAreBounded(t *testing.T) {
	p := openPeer(t, openServer(t))
	for channel := uint16(1); ; channel++ {
		if channel > 40 {
			t.Fatal("a connection may have 10,000 links")
		}
		p.begin(channel, 10)
		for handle := range uint32(256) {
			p.write(amqp.Attach{Name: fmt.Sprint(channel, handle), Handle: handle, Receiver: true,
				Source: amqp.NewTerminus(amqp.CodeSource, "jobs"), Target: &amqp.Terminus{Code: amqp.CodeTarget}}.Append(nil, channel))
			switch code, f, _ := p.next(); code {
			case amqp.CodeEnd:
				if e, err := amqp.DecodeEnd(f); err != nil || e.Error == nil || e.Error.Condition != "amqp:resource-limit-exceeded" {
					t.Errorf("end %+v, error %v", e.Error, err)
				}
				return
			case amqp.CodeAttach:
			default:
				t.Fatalf("performative 0x%02x", code)
			}
		}
	}
}

func TestLargeAttachEndsTheSession(t *testing.T) {
	t.Parallel()
	p := openPeer(t, openServer(t))
	p.write(amqp.Attach{Name: strings.Repeat("n", 20<<10), Receiver: true,
		Source: amqp.NewTerminus(amqp.CodeSource, "jobs"), Target: &amqp.Terminus{Code: amqp.CodeTarget}}.Append(nil, 0))
	p.expectError(amqp.CodeEnd, "amqp:resource-limit-exceeded")
}

// TestEndOfALinkThatWaits: what was not answered is refused, not just
// detached.
func TestEndOfALinkThatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := openPeer(t, newServer(t, localbus.Config{OpenAccess: true, Queues: sessionQueue, LinkIdle: 5 * time.Second}))
		p.attachSession(0, nil, nil)
		f, _ := p.expect(amqp.CodeAttach)
		if a, err := amqp.DecodeAttach(f); err != nil || a.Source != nil || a.Target != nil {
			t.Errorf("attach %+v, error %v, want neither source nor target", a, err)
		}
		p.expectError(amqp.CodeDetach, "amqp:link:detach-forced")
	})
}

// TestStaleMessageIsNotSent keeps the window shut until the lock of what was
// taken is over.
func TestStaleMessageIsNotSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := openPeer(t, openServer(t))
		p.nc.SetDeadline(time.Now().Add(time.Hour))
		p.attachSender(0, "jobs")
		for n := range uint32(2) {
			p.send(0, n, "x")
			p.expectAccepted(n)
		}
		p.attachReceiver(1, "jobs", 0)
		link := amqp.Flow{NextIncomingID: amqp.Some[uint32](1), IncomingWindow: 1, Handle: amqp.Some[uint32](1), LinkCredit: amqp.Some[uint32](2)}
		p.write(link.Append(nil, 0))
		p.transfer()
		<-time.After(90 * time.Second)
		p.write(amqp.Flow{NextIncomingID: amqp.Some[uint32](2), IncomingWindow: 10}.Append(nil, 0))
		tr, payload := p.transfer()
		s, err := amqp.ParseMessage(payload)
		if err != nil || tr.More {
			t.Fatalf("%+v, error %v", tr, err)
		}
		if err := amqp.EachEntry(s.MessageAnnotations, func(key string, _, v amqp.Raw) {
			end, _, _ := amqp.Decode(v)
			if at, ok := end.(amqp.Timestamp); ok && key == "x-opt-locked-until" && !at.Time().After(time.Now()) {
				t.Errorf("the lock ended at %v, now it is %v", at.Time(), time.Now().UTC())
			}
		}); err != nil {
			t.Error(err)
		}
	})
}

func TestTransactionalDispositionEndsTheSession(t *testing.T) {
	t.Parallel()
	p := openPeer(t, openServer(t))
	p.write((&amqp.Disposition{Receiver: true, State: amqp.State{Code: 0x34}}).Append(nil, 0))
	p.expectError(amqp.CodeEnd, "amqp:not-implemented")
}

// TestUnfinishedMessagesAreBounded leaves a message unfinished on each of many
// links.
func TestUnfinishedMessagesAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, unfinishedMessagesAreBounded) // so that the peer's deadline is no matter of speed
}

func unfinishedMessagesAreBounded(t *testing.T) {
	p := openPeer(t, openServer(t))
	part := make([]byte, 60<<10)
	for n := range uint32(1000) {
		channel, handle := uint16(n/200), n%200
		if handle == 0 && channel > 0 {
			p.begin(channel, 100)
		}
		p.write(amqp.Attach{Name: fmt.Sprint(n), Handle: handle, Source: &amqp.Terminus{Code: amqp.CodeSource},
			Target: amqp.NewTerminus(amqp.CodeTarget, "jobs")}.Append(nil, channel))
		p.expect(amqp.CodeAttach)
		p.expect(amqp.CodeFlow)
		for range 4 {
			tr := amqp.Transfer{Handle: handle, DeliveryID: amqp.Some(n), DeliveryTag: []byte{1}, More: true}
			p.write(tr.Append(nil, channel, part))
		}
		p.write(amqp.Flow{NextIncomingID: amqp.Some[uint32](1), Echo: true}.Append(nil, channel))
		if code, f, _ := p.next(); code != amqp.CodeFlow {
			d, err := amqp.DecodeDetach(f)
			if err != nil || d.Error == nil || d.Error.Condition != "amqp:resource-limit-exceeded" {
				t.Errorf("performative 0x%02x: %+v, error %v", code, d.Error, err)
			}
			if n < 500 {
				t.Errorf("refused after %d messages", n)
			}
			return
		}
	}
	t.Error("240 MB of unfinished messages are held")
}

// TestCreditTakenBackGivesMessagesBack: what was taken for a link without
// credit is for others.
func TestCreditTakenBackGivesMessagesBack(t *testing.T) {
	t.Parallel()
	p := openPeer(t, openServer(t))
	p.attachSender(0, "jobs")
	for n := range uint32(2) {
		p.send(0, n, "x")
		p.expectAccepted(n)
	}
	p.attachReceiver(1, "jobs", 0)
	link := amqp.Flow{NextIncomingID: amqp.Some[uint32](1), IncomingWindow: 1, Handle: amqp.Some[uint32](1), LinkCredit: amqp.Some[uint32](2)}
	p.write(link.Append(nil, 0))
	p.transfer()
	link.NextIncomingID, link.IncomingWindow = amqp.Some[uint32](2), 10
	link.DeliveryCount, link.LinkCredit = amqp.Some[uint32](1), amqp.Some[uint32](0)
	p.write(link.Append(nil, 0))
	p.begin(1, 10)
	p.write(amqp.Attach{Name: "other", Receiver: true, Source: amqp.NewTerminus(amqp.CodeSource, "jobs"), Target: &amqp.Terminus{Code: amqp.CodeTarget}}.Append(nil, 1))
	p.expect(amqp.CodeAttach)
	p.write(amqp.Flow{NextIncomingID: amqp.Some[uint32](1), IncomingWindow: 10, Handle: amqp.Some[uint32](0), LinkCredit: amqp.Some[uint32](1)}.Append(nil, 1))
	p.transfer()
}
