package localbus_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

// Links are detached some time after the deletion, and only those to the old
// queue.
func TestDeletionDetachesOlderLinks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openServer(t)
		p := openPeer(t, s)
		p.attachSender(3, "jobs")
		if err := errors.Join(s.DeleteQueue("jobs"), s.CreateQueue("jobs")); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		p.attachSender(4, "jobs")
		f, _ := p.expect(amqp.CodeDetach)
		d, err := amqp.DecodeDetach(f)
		if err != nil || d.Handle != 3 || d.Error.Condition != "amqp:link:detach-forced" {
			t.Errorf("detach %+v, error %v", d, err)
		}
		if took := time.Since(start); took != 250*time.Millisecond {
			t.Errorf("detached after %v, want 250ms", took)
		}
		<-time.After(time.Second)
		p.send(4, 0, "x")
		p.expectAccepted(0)
	})
}

// A message that waits for its turn on a link is not lost with the link, in
// either mode.
func TestUnsentMessagesComeBack(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]azservicebus.ReceiveMode{
		"peek lock":          azservicebus.ReceiveModePeekLock,
		"receive and delete": azservicebus.ReceiveModeReceiveAndDelete,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, localbus.Config{Faults: localbus.Faults{Delay: 2 * time.Second}})
				b.send("one", "two")
				r, err := b.client.NewReceiverForQueue("jobs", &azservicebus.ReceiverOptions{ReceiveMode: mode})
				b.ok(err)
				done := make(chan struct{})
				go func() {
					defer close(done)
					r.ReceiveMessages(t.Context(), 2, nil)
				}()
				<-time.After(time.Second)
				b.ok(r.Close(t.Context()))
				<-done
				for _, m := range b.receive(2) {
					if m.DeliveryCount != 1 {
						t.Errorf("delivery count %d, want 1", m.DeliveryCount)
					}
				}
			})
		})
	}
}
