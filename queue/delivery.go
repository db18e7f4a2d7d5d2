package queue

import (
	"context"
	"sync"
	"time"
)

// Delivery is one message under a peek lock. It settles once.
type Delivery struct {
	Message
	Receipt

	mu      sync.Mutex // guards settled and busy
	settled bool
	busy    bool
	lock    Lock
}

// Receipt is what the broker says of a delivery.
type Receipt struct {
	Count          int       // delivery attempts including this one: 1 on the first
	SequenceNumber int64     // the broker's number of the message, unique within the queue
	EnqueuedAt     time.Time // broker time at which the message became available
	ExpiresAt      time.Time // broker time at which it expires; zero: never
	LockedUntil    time.Time // broker time at which the lock ends, as of receipt; Renew returns newer values
}

// Lock is the adapter's side of one delivery. Delivery guarantees that at most
// one call of Settle is under way and that none follows a successful one.
type Lock interface {
	// Settle ends the delivery as s says. It returns an error that wraps
	// ErrLockLost when the lock is gone; then the message may already be
	// with another receiver. On cancel the outcome is unknown: the message
	// may or may not be settled.
	Settle(ctx context.Context, s Settlement) error

	// Renew extends the lock by the queue's lock duration and returns the
	// broker time at which it now ends. ErrLockLost as in Settle.
	Renew(ctx context.Context) (time.Time, error)
}

// Settlement is the way in which a delivery ends.
type Settlement struct {
	Outcome     Outcome
	Reason      string // DeadLetter only: a word from a fixed vocabulary, at most 128 characters
	Description string // DeadLetter only: for people, holds no secret, at most 1,024 characters
}

// Outcome is complete, abandon or dead-letter.
type Outcome int

// The outcomes. The zero value is none of them and is refused.
const (
	Complete   Outcome = iota + 1 // done: the broker deletes the message
	Abandon                       // give back: it is delivered again at once, with a higher Count
	DeadLetter                    // move to the dead-letter queue with Reason and Description
)

// NewDelivery is for adapters: it joins a received message with its lock.
func NewDelivery(m Message, r Receipt, l Lock) *Delivery {
	return &Delivery{Message: m, Receipt: r, lock: l}
}

// Complete deletes the message from the queue.
func (d *Delivery) Complete(ctx context.Context) error {
	return d.settle(ctx, Settlement{Outcome: Complete})
}

// Abandon gives the message back for immediate redelivery, which raises its
// delivery count.
func (d *Delivery) Abandon(ctx context.Context) error {
	return d.settle(ctx, Settlement{Outcome: Abandon})
}

// DeadLetter moves the message to the dead-letter queue. Reason and
// description are cut to the limits that Settlement names.
func (d *Delivery) DeadLetter(ctx context.Context, reason, description string) error {
	return d.settle(ctx, Settlement{
		Outcome:     DeadLetter,
		Reason:      cut(reason, maxReason),
		Description: cut(description, maxDescription),
	})
}

// Renew extends the lock and returns the broker time at which it now ends. It
// returns ErrSettled after a settlement.
func (d *Delivery) Renew(ctx context.Context) (time.Time, error) {
	d.mu.Lock()
	settled := d.settled
	d.mu.Unlock()
	if settled {
		return time.Time{}, ErrSettled
	}
	return d.lock.Renew(ctx)
}

// Limits of Settlement, in bytes. Service Bus allows 4,096 for each of them;
// these keep a dead letter readable in a list.
const (
	maxReason      = 128
	maxDescription = 1024
)

// settle lets one caller at a time through, and none after a success.
func (d *Delivery) settle(ctx context.Context, s Settlement) error {
	d.mu.Lock()
	if d.settled || d.busy {
		d.mu.Unlock()
		return ErrSettled
	}
	d.busy = true
	d.mu.Unlock()

	err := d.lock.Settle(ctx, s)

	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy = false
	d.settled = err == nil
	return err
}

// cut shortens s to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
