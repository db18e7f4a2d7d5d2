package localbus_test

import (
	"context"
	"net"
	"sync"
	"testing"

	goamqp "github.com/Azure/go-amqp"

	"github.com/signmill/signmill/queue/localbus"
)

// BenchmarkLoopback sends, receives and completes messages of 1 KB over
// loopback TCP with the client library that the SDK uses, many at a time.
func BenchmarkLoopback(b *testing.B) {
	s, err := localbus.New(localbus.Config{Queues: queues("jobs"), OpenAccess: true})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go s.Serve(b.Context(), l)
	ctx := context.Background()
	conn, err := goamqp.Dial(ctx, "amqp://"+l.Addr().String(), &goamqp.ConnOptions{SASLType: goamqp.SASLTypeAnonymous()})
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	session, err := conn.NewSession(ctx, nil)
	if err != nil {
		b.Fatal(err)
	}
	sender, err := session.NewSender(ctx, "jobs", nil)
	if err != nil {
		b.Fatal(err)
	}
	receiver, err := session.NewReceiver(ctx, "jobs", &goamqp.ReceiverOptions{Credit: 500, SettlementMode: goamqp.ReceiverSettleModeSecond.Ptr()})
	if err != nil {
		b.Fatal(err)
	}
	payload := make([]byte, 1024)
	const lanes = 64
	var work sync.WaitGroup
	b.SetBytes(int64(len(payload)))
	b.ResetTimer()
	for lane := range lanes {
		n := b.N / lanes
		if lane < b.N%lanes {
			n++
		}
		work.Go(func() {
			for range n {
				if err := sender.Send(ctx, goamqp.NewMessage(payload), nil); err != nil {
					b.Error(err)
					return
				}
			}
		})
		work.Go(func() {
			for range n {
				m, err := receiver.Receive(ctx, nil)
				if err != nil {
					b.Error(err)
					return
				}
				if err := receiver.AcceptMessage(ctx, m); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	work.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
}
