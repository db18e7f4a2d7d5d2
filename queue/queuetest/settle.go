package queuetest

import (
	"sync"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
)

func completeRemoves(t *testing.T, h Harness) {
	send(t, h.Sender(t, h.Plain), full())
	r := h.Receiver(t, h.Plain)
	complete(t, one(t, r))
	none(t, r, h.LockDuration+aMoment)
	none(t, h.Receiver(t, h.DeadLetters), aMoment)
}

func abandonGivesBack(t *testing.T, h Harness) {
	send(t, h.Sender(t, h.Plain), full())
	r := h.Receiver(t, h.Plain)
	first := one(t, r)
	if err := first.Abandon(within(t, patience)); err != nil {
		t.Fatalf("abandon: got %v, want nil", err)
	}
	since := time.Now()
	second := one(t, r)
	if waited := time.Since(since); waited >= h.LockDuration {
		t.Errorf("redelivery: got it after %v, want it before the lock of %v would have ended", waited, h.LockDuration)
	}
	wantAgain(t, second, first, 2)
	complete(t, second)
}

// wantAgain requires that second is a later delivery of first's message.
func wantAgain(t *testing.T, second, first *queue.Delivery, count int) {
	t.Helper()
	if second.ID != first.ID || second.SequenceNumber != first.SequenceNumber {
		t.Errorf("redelivery: got %q number %d, want %q number %d",
			second.ID, second.SequenceNumber, first.ID, first.SequenceNumber)
	}
	if second.Count != count {
		t.Errorf("count of redelivery: got %d, want %d", second.Count, count)
	}
}

func deadLetterKeeps(t *testing.T, h Harness) {
	want := full()
	send(t, h.Sender(t, h.Plain), want)
	r := h.Receiver(t, h.Plain)
	if err := one(t, r).DeadLetter(within(t, patience), "invalid-job", "field items: is missing"); err != nil {
		t.Fatalf("dead-letter: got %v, want nil", err)
	}
	dead := one(t, h.Receiver(t, h.DeadLetters))
	if dead.ID != want.ID || string(dead.Body) != string(want.Body) {
		t.Errorf("dead letter: got %q with %d bytes, want %q with %d", dead.ID, len(dead.Body), want.ID, len(want.Body))
	}
	wantProperty(t, dead, "DeadLetterReason", "invalid-job")
	wantProperty(t, dead, "DeadLetterErrorDescription", "field items: is missing")
	wantProperty(t, dead, "traceparent", want.Properties["traceparent"])
	complete(t, dead)
	none(t, r, aMoment)
}

func wantProperty(t *testing.T, d *queue.Delivery, name string, want any) {
	t.Helper()
	if got := d.Properties[name]; got != want {
		t.Errorf("property %s: got %v, want %v", name, got, want)
	}
}

func settlesOnce(t *testing.T, h Harness) {
	send(t, h.Sender(t, h.Plain), full())
	d := one(t, h.Receiver(t, h.Plain))
	complete(t, d)
	ctx := within(t, patience)
	wantError(t, "complete again", d.Complete(ctx), queue.ErrSettled)
	wantError(t, "abandon", d.Abandon(ctx), queue.ErrSettled)
	wantError(t, "dead-letter", d.DeadLetter(ctx, "reason", ""), queue.ErrSettled)
	_, err := d.Renew(ctx)
	wantError(t, "renew", err, queue.ErrSettled)
}

func concurrentSettlements(t *testing.T, h Harness) {
	const n = 50
	send(t, h.Sender(t, h.Plain), numbered("settled", n)...)
	r := h.Receiver(t, h.Plain)
	var wg sync.WaitGroup
	for _, d := range receive(t, r, n) {
		wg.Go(func() { complete(t, d) })
	}
	wg.Wait()
	none(t, r, h.LockDuration+aMoment)
}

func lastDelivery(t *testing.T, h Harness) {
	if h.MaxDeliveries == 0 {
		t.Skip("the harness does not say how many deliveries there are")
	}
	send(t, h.Sender(t, h.Plain), full())
	r := h.Receiver(t, h.Plain)
	for i := range h.MaxDeliveries {
		d := one(t, r)
		if d.Count != i+1 {
			t.Fatalf("count: got %d, want %d", d.Count, i+1)
		}
		if err := d.Abandon(within(t, patience)); err != nil {
			t.Fatalf("abandon: got %v, want nil", err)
		}
	}
	dead := one(t, h.Receiver(t, h.DeadLetters))
	wantProperty(t, dead, "DeadLetterReason", "MaxDeliveryCountExceeded")
	complete(t, dead)
	none(t, r, aMoment)
}
