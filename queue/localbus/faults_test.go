package localbus_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

func faulty(t *testing.T, f localbus.Faults) *localbus.Server {
	return newServer(t, localbus.Config{OpenAccess: true, Queues: queues("jobs"), Faults: f})
}

func TestFaultServerBusy(t *testing.T) {
	t.Parallel()
	p := openPeer(t, faulty(t, localbus.Faults{ServerBusyEvery: 2, MaxFaults: 1}))
	p.attachSender(0, "jobs")
	for id, want := range []byte{amqp.CodeAccepted, amqp.CodeRejected, amqp.CodeAccepted, amqp.CodeAccepted} {
		p.send(0, uint32(id), "x")
		f, _ := p.expect(amqp.CodeDisposition)
		d, err := amqp.DecodeDisposition(f)
		if err != nil || d.State.Code != want {
			t.Fatalf("send %d: state 0x%02x, error %v, want 0x%02x", id, d.State.Code, err, want)
		}
		if want == amqp.CodeRejected && d.State.Error.Condition != "com.microsoft:server-busy" {
			t.Errorf("send %d: %v", id, d.State.Error)
		}
	}
}

func TestFaultServerBusyIsRetriedByTheSDK(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, localbus.Config{Faults: localbus.Faults{ServerBusyEvery: 2}})
		b.send("one", "two", "three")
		for _, m := range b.receive(3) {
			b.ok(b.receiver.CompleteMessage(t.Context(), m, nil))
		}
	})
}

func TestFaultRefuseLink(t *testing.T) {
	t.Parallel()
	p := openPeer(t, faulty(t, localbus.Faults{RefuseLinkEvery: 1, MaxFaults: 1}))
	p.write(amqp.Attach{Name: "s", Target: amqp.NewTerminus(amqp.CodeTarget, "jobs")}.Append(nil, 0))
	p.expect(amqp.CodeAttach)
	p.expectError(amqp.CodeDetach, "com.microsoft:server-busy")
	p.attachSender(1, "jobs")
}

func TestFaultNoCredit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, localbus.Config{OpenAccess: true, Faults: localbus.Faults{NoCredit: true}})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := b.sender.SendMessage(ctx, &azservicebus.Message{}, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want deadline exceeded", err)
		}
	})
}

func TestFaultLoseLock(t *testing.T) {
	t.Parallel()
	b := newBench(t, localbus.Config{Faults: localbus.Faults{LoseLockEvery: 1, MaxFaults: 1}})
	b.send("one")
	lost := b.receive(1)[0]
	if err := b.receiver.CompleteMessage(t.Context(), lost, nil); !hasCode(err, azservicebus.CodeLockLost) {
		t.Errorf("error %v, want lock lost", err)
	}
	again := b.receive(1)[0]
	if again.DeliveryCount != 2 {
		t.Errorf("delivery count %d, want 2", again.DeliveryCount)
	}
	b.ok(b.receiver.CompleteMessage(t.Context(), again, nil))
}

func TestFaultDuplicate(t *testing.T) {
	t.Parallel()
	b := newBench(t, localbus.Config{Faults: localbus.Faults{DuplicateEvery: 1, MaxFaults: 1}})
	b.send("one")
	m := b.receive(2)
	if m[0].MessageID != m[1].MessageID || *m[0].SequenceNumber == *m[1].SequenceNumber {
		t.Errorf("ids %q and %q, numbers %d and %d", m[0].MessageID, m[1].MessageID, *m[0].SequenceNumber, *m[1].SequenceNumber)
	}
}

func TestFaultDropAfterFrames(t *testing.T) {
	t.Parallel()
	p := openPeer(t, faulty(t, localbus.Faults{DropAfterFrames: 3}))
	p.attachSender(0, "jobs") // begin was the first frame
	p.send(0, 0, "x")
	p.expectEOF()
}

func TestFaultHalfFrame(t *testing.T) {
	t.Parallel()
	p := openPeer(t, faulty(t, localbus.Faults{HalfFrameEvery: 1}))
	p.attachSender(0, "jobs")
	p.send(0, 0, "0123456789")
	p.expectAccepted(0)
	p.attachReceiver(1, "jobs", 1)
	b, err := io.ReadAll(p.in)
	if err != nil || len(b) < 8 {
		t.Fatalf("%d bytes, error %v", len(b), err)
	}
	if size := int(b[2])<<8 | int(b[3]); len(b) >= size {
		t.Errorf("%d of %d bytes arrived, want about a half", len(b), size)
	}
}

func TestFaultDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, localbus.Config{Faults: localbus.Faults{Delay: 3 * time.Second}})
		b.send("one", "two")
		start := time.Now()
		b.receive(2)
		if took := time.Since(start); took != 6*time.Second {
			t.Errorf("two messages took %v, want 6s", took)
		}
	})
}

func TestLoseLocks(t *testing.T) {
	t.Parallel()
	b := newBench(t, localbus.Config{})
	b.send("one", "two")
	m := b.receive(2)
	if n := b.server.LoseLocks("JOBS"); n != 2 {
		t.Errorf("%d locks lost, want 2", n)
	}
	if err := b.receiver.CompleteMessage(t.Context(), m[0], nil); !hasCode(err, azservicebus.CodeLockLost) {
		t.Errorf("error %v, want lock lost", err)
	}
}

func TestDropConnections(t *testing.T) {
	t.Parallel()
	s := openServer(t)
	p := openPeer(t, s)
	s.DropConnections()
	p.expectEOF()
	b := newBench(t, localbus.Config{})
	b.send("before")
	b.server.DropConnections()
	b.send("after")
	b.receive(2)
}

func TestIdleLinkAndConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, localbus.Config{OpenAccess: true, Queues: queues("jobs"), LinkIdle: 10 * time.Minute, ConnectionIdle: 5 * time.Minute, IdleTimeout: time.Hour})
		p := openPeer(t, s)
		p.nc.SetDeadline(time.Time{})
		p.attachSender(0, "jobs")
		<-time.After(8 * time.Minute)
		p.send(0, 0, "x")
		p.expectAccepted(0)
		start := time.Now()
		p.expectError(amqp.CodeDetach, "amqp:link:detach-forced")
		if took := time.Since(start); took != 10*time.Minute {
			t.Errorf("link detached after %v, want 10m", took)
		}
		p.expectError(amqp.CodeClose, "amqp:connection:forced")
		if took := time.Since(start); took != 15*time.Minute {
			t.Errorf("connection closed after %v, want 15m", took)
		}
		p.expectEOF()
	})
}

func TestSilentPeerIsClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := openPeer(t, newServer(t, localbus.Config{OpenAccess: true, IdleTimeout: time.Minute}))
		p.nc.SetDeadline(time.Time{})
		start := time.Now()
		p.expectError(amqp.CodeClose, "amqp:connection:forced")
		if took := time.Since(start); took != 2*time.Minute {
			t.Errorf("closed after %v, want 2m", took)
		}
	})
}

func TestKeepalive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, localbus.Config{})
		b.send("one")
		b.receive(1)
		<-time.After(2 * time.Hour) // both sides are silent but for empty frames
		b.send("two")
		b.receive(2)
	})
}

// A signature in the connection string is not renewed: the link ends with it.
func TestTokenExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, localbus.Config{Queues: queues("jobs")})
		resource, end := url.QueryEscape("localhost"), time.Now().Add(10*time.Minute).Unix()
		mac := hmac.New(sha256.New, []byte("SAS_KEY_VALUE"))
		fmt.Fprintf(mac, "%s\n%d", resource, end)
		signature := fmt.Sprintf("SharedAccessSignature sr=%s&sig=%s&se=%d&skn=RootManageSharedAccessKey",
			resource, url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil))), end)
		client := newClient(t, "Endpoint=sb://localhost;SharedAccessSignature="+signature+";UseDevelopmentEmulator=true", &azservicebus.ClientOptions{
			NewWebSocketConn: func(ctx context.Context, _ azservicebus.NewWebSocketConnArgs) (net.Conn, error) { return s.Dial(ctx) },
		})
		sender, err := client.NewSender("jobs", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := sender.SendMessage(t.Context(), &azservicebus.Message{}, nil); err != nil {
			t.Fatal(err)
		}
		<-time.After(11 * time.Minute)
		if err := sender.SendMessage(t.Context(), &azservicebus.Message{}, nil); !hasCode(err, azservicebus.CodeUnauthorizedAccess) {
			t.Errorf("error %v, want unauthorized", err)
		}
	})
}

func TestNewListsAllFaults(t *testing.T) {
	t.Parallel()
	_, err := localbus.New(localbus.Config{
		MaxFrameSize: 1,
		LinkIdle:     -1,
		Rules:        []localbus.Rule{{Name: "r"}},
		Queues:       queues("", "twice", "twice"),
	})
	joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err)
	if !ok || len(joined.Unwrap()) != 3 {
		t.Errorf("got %v; want the settings and two queues", err)
	}
}

func TestClosedServer(t *testing.T) {
	t.Parallel()
	s := openServer(t)
	p := openPeer(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	p.expectError(amqp.CodeClose, "amqp:connection:forced")
	if _, err := s.Dial(t.Context()); err == nil {
		t.Error("a closed server took a connection")
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}
