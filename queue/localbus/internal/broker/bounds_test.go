package broker_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

// overhead is what each message counts beside its bytes.
const overhead = 512

func TestEmptyMessagesFillTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{MaxSizeMegabytes: 1})
		b.sendMessages(make([]broker.Message, 1<<20/overhead)...)
		if d, _ := b.Get("jobs"); d.SizeBytes != 1<<20 {
			t.Errorf("size %d, want %d", d.SizeBytes, 1<<20)
		}
		_, err := b.queue.Send(broker.Message{})
		b.wantKind(err, broker.Full)
		if n, err := b.queue.DeleteOlder(time.Now().Add(time.Second), 1); n != 1 || err != nil {
			t.Errorf("deleted %d, error %v", n, err)
		}
		b.sendMessages(broker.Message{})
	})
}

func TestSessionStateCountsAgainstTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{RequiresSession: true, MaxSizeMegabytes: 1})
		state := make([]byte, 200<<10)
		for n := range 5 {
			id := strconv.Itoa(n)
			c := b.accept(id)
			if err := b.queue.SetSessionState(id, state); err != nil {
				t.Fatal(err)
			}
			c.Close()
		}
		c := b.accept("5")
		defer c.Close()
		b.wantKind(b.queue.SetSessionState("5", state), broker.Full)
		again := b.accept("0")
		defer again.Close()
		if err := b.queue.SetSessionState("0", state[1:]); err != nil {
			t.Error(err)
		}
		if err := b.queue.SetSessionState("0", nil); err != nil {
			t.Error(err)
		}
		if d, _ := b.Get("jobs"); d.SizeBytes != 4*200<<10 {
			t.Errorf("size %d, want %d", d.SizeBytes, 4*200<<10)
		}
		if err := b.queue.SetSessionState("5", state); err != nil {
			t.Error(err)
		}
	})
}

func TestModifiedPropertiesAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{MaxDeliveryCount: 1000})
		b.send("a")
		c := b.consume(b.queue, broker.PeekLock)
		var last error
		for n := 0; n < 1000 && last == nil; n++ {
			got := b.takeFrom(c, "a")
			s := broker.Settlement{Outcome: broker.Abandon, Modify: []broker.Property{{Key: strconv.Itoa(n)}}}
			if last = b.queue.Settle(s, got[0].LockToken); last != nil && n != 256 {
				t.Errorf("settlement %d was refused, want the 256th", n)
			}
		}
		b.wantKind(last, broker.Invalid)
	})
}

func TestDeferredMessagesOfOneCallAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{MaxMessageBytes: 100 << 20})
		for _, id := range []string{"a", "b"} {
			b.sendMessages(broker.Message{ID: id, Size: 40 << 20})
		}
		b.settle(b.queue, broker.Settlement{Outcome: broker.Defer}, b.take(b.queue, "a", "b")...)
		_, err := b.queue.ReceiveDeferred(broker.ReceiveAndDelete, 1, 2)
		b.wantKind(err, broker.TooLarge)
		for _, n := range []int64{1, 2} {
			if got, err := b.queue.ReceiveDeferred(broker.ReceiveAndDelete, n); err != nil || len(got) != 1 {
				t.Errorf("number %d: %d messages, error %v", n, len(got), err)
			}
		}
	})
}
