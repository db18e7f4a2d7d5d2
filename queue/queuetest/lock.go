package queuetest

import (
	"sync"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
)

// lockExpires holds a delivery until its message comes again.
func lockExpires(t *testing.T, h Harness) {
	send(t, h.Sender(t, h.Plain), full())
	r := h.Receiver(t, h.Plain)
	first := one(t, r)
	none(t, r, h.LockDuration/2)
	second := one(t, r)
	wantAgain(t, second, first, 2)
	if !second.LockedUntil.After(first.LockedUntil) {
		t.Errorf("locked until: got %v, want a time after %v", second.LockedUntil, first.LockedUntil)
	}
	ctx := within(t, patience)
	wantError(t, "complete with a lost lock", first.Complete(ctx), queue.ErrLockLost)
	wantError(t, "abandon with a lost lock", first.Abandon(ctx), queue.ErrLockLost)
	wantError(t, "dead-letter with a lost lock", first.DeadLetter(ctx, "reason", ""), queue.ErrLockLost)
	complete(t, second)
	none(t, r, h.LockDuration+aMoment)
}

// renewalKeeps holds a delivery for more than two lock durations.
func renewalKeeps(t *testing.T, h Harness) {
	send(t, h.Sender(t, h.Plain), full())
	r := h.Receiver(t, h.Plain)
	d := one(t, r)
	until := d.LockedUntil
	for range 4 {
		none(t, r, h.LockDuration*6/10)
		renewed, err := d.Renew(within(t, patience))
		if err != nil {
			t.Fatalf("renew: got %v, want nil", err)
		}
		if !renewed.After(until) {
			t.Errorf("renew: got %v, want a time after %v", renewed, until)
		}
		until = renewed
	}
	complete(t, d)
	none(t, r, h.LockDuration+aMoment)
}

func concurrentRenewals(t *testing.T, h Harness) {
	send(t, h.Sender(t, h.Plain), full())
	d := one(t, h.Receiver(t, h.Plain))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if until, err := d.Renew(within(t, patience)); err != nil || until.Before(d.LockedUntil) {
				t.Errorf("renew: got %v, %v, want %v or later", until, err, d.LockedUntil)
			}
		})
	}
	wg.Wait()
	complete(t, d)
}

func renewalTooLate(t *testing.T, h Harness) {
	send(t, h.Sender(t, h.Plain), full())
	r := h.Receiver(t, h.Plain)
	first := one(t, r)
	second := one(t, r) // waits for the lock
	until, err := first.Renew(within(t, patience))
	wantError(t, "renew a lost lock", err, queue.ErrLockLost)
	if !until.Equal(time.Time{}) {
		t.Errorf("renew a lost lock: got %v, want no time", until)
	}
	complete(t, second)
}
