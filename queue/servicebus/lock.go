package servicebus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/cenkalti/backoff/v4"

	"github.com/signmill/signmill/queue"
)

// lock is the adapter's side of one delivery. It implements queue.Lock.
type lock struct {
	receiver *Receiver
	message  *azservicebus.ReceivedMessage
	span     *span // of the link on which the message came
}

var opOf = map[queue.Outcome]string{
	queue.Complete:   "complete",
	queue.Abandon:    "abandon",
	queue.DeadLetter: "dead-letter",
}

// Settle implements queue.Lock: first on the link of the message, then by lock
// token. It ends after about operationLimit even if ctx does not. When an
// attempt was cut off that had reached the broker, the next one finds the lock
// gone: ErrLockLost may thus mean that the message is settled as wanted.
func (l *lock) Settle(ctx context.Context, s queue.Settlement) error {
	err := l.onLink(ctx, s)
	if err != nil && ctx.Err() == nil && !errors.Is(kindOf(err), queue.ErrLockLost) {
		err = l.byToken(ctx, s)
	}
	return translate(opOf[s.Outcome], l.receiver.name, err)
}

// errSpanOver means that the link of a message is known to be gone.
var errSpanOver = errors.New("link of the message is gone")

// onLink settles on the link that the message came on.
func (l *lock) onLink(ctx context.Context, s queue.Settlement) error {
	link, _ := l.receiver.current()
	tried, err := l.span.try(ctx, func(ctx context.Context) error {
		return settleOn(ctx, link, l.message, s)
	})
	if !tried {
		return errSpanOver
	}
	return err
}

// byToken settles a copy of the message that holds its lock token only, which
// the client sends over its newest link. What comes first is a renewal: it
// asks whether the lock lives, and unlike a settlement it obeys our retry
// bounds while it restores the link.
func (l *lock) byToken(ctx context.Context, s queue.Settlement) error {
	link, _ := l.receiver.current()
	if !link.survives() {
		return l.lostWithLink()
	}
	l.receiver.lose(l.span) // spares the others of this span the first attempt
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	policy := backoff.WithContext(newBackoff(l.receiver.client.config.Retry.MaxDelay), ctx)
	return backoff.Retry(func() error { return l.hopeless(l.bare(ctx, s)) }, policy)
}

// bare makes one attempt by lock token. Like that on the link it is cut off
// before the client waits for its own next try.
func (l *lock) bare(ctx context.Context, s queue.Settlement) error {
	link, _ := l.receiver.current()
	m := &azservicebus.ReceivedMessage{LockToken: l.message.LockToken}
	if _, err := link.renew(ctx, m); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, linkAttempt)
	defer cancel()
	return settleOn(ctx, link, m, s)
}

// hopeless stops the retries on errors that a retry does not mend.
func (l *lock) hopeless(err error) error {
	if err == nil {
		return nil
	}
	if kindOf(err) != nil || l.receiver.client.closed() {
		return backoff.Permanent(err)
	}
	return err
}

// lostWithLink is the outcome for a message of a session whose link failed.
func (l *lock) lostWithLink() error {
	if l.span.ended() {
		return fmt.Errorf("%w: the session's link is gone", queue.ErrLockLost)
	}
	return errors.New("the broker did not confirm in time")
}

// Renew implements queue.Lock. A context without a deadline is given one of
// operationLimit.
func (l *lock) Renew(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	link, _ := l.receiver.current()
	if !link.survives() && l.span.ended() {
		return time.Time{}, translate("renew", l.receiver.name, l.lostWithLink())
	}
	until, err := link.renew(ctx, l.message)
	return until, translate("renew", l.receiver.name, err)
}
