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

	// Owned by the one Settle that is under way.
	tried bool  // on the link
	lost  error // the answer that said so
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
	err := l.lost
	if err == nil {
		err = l.onLink(ctx, s)
	}
	if err != nil && ctx.Err() == nil && !lockLost(err) {
		err = l.byToken(ctx, s)
	}
	if lockLost(err) {
		l.lost = err
	}
	return translate(opOf[s.Outcome], l.receiver.name, err)
}

func lockLost(err error) bool { return errors.Is(kindOf(err), queue.ErrLockLost) }

// errNotOnLink means that the link of a message is known to be gone, or was
// tried before.
var errNotOnLink = errors.New("not on the link of the message")

// onLink settles on the link that the message came on, once: whatever the
// broker answers, the client counts the message as settled from then on, and
// reports success without asking again.
func (l *lock) onLink(ctx context.Context, s queue.Settlement) error {
	if l.tried {
		return errNotOnLink
	}
	l.tried = true
	tried, err := l.span.try(ctx, func(ctx context.Context) error {
		return l.receiver.door.pass(ctx, func(ctx context.Context) error {
			return settleOn(ctx, l.receiver.settling, l.message, s)
		})
	})
	if !tried {
		return errNotOnLink
	}
	return err
}

// byToken settles a copy of the message that holds its lock token only, which
// the client sends over its newest link.
func (l *lock) byToken(ctx context.Context, s queue.Settlement) error {
	if !l.receiver.settling.survives() {
		return l.onLinkOnly()
	}
	l.receiver.lose(l.span) // spares the others of this span the first attempt
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	policy := backoff.WithContext(newBackoff(l.receiver.client.config.Retry.MaxDelay), ctx)
	return backoff.Retry(func() error { return l.hopeless(l.bare(ctx, s)) }, policy)
}

// bare makes one attempt by lock token. On a link that does not work a renewal
// comes first, because unlike a settlement it obeys our retry bounds while it
// restores the link. Like the attempt on the link of the message this one is
// cut off before the client waits for its own next try.
func (l *lock) bare(ctx context.Context, s queue.Settlement) error {
	m := &azservicebus.ReceivedMessage{LockToken: l.message.LockToken}
	if l.receiver.door.isBroken() {
		if _, err := l.renew(ctx, m); err != nil {
			return err
		}
	}
	return l.receiver.door.pass(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, linkAttempt)
		defer cancel()
		return settleOn(ctx, l.receiver.settling, m, s)
	})
}

// renew extends the lock of m, in its turn.
func (l *lock) renew(ctx context.Context, m *azservicebus.ReceivedMessage) (until time.Time, err error) {
	err = l.receiver.door.pass(ctx, func(ctx context.Context) error {
		until, err = l.receiver.settling.renew(ctx, m)
		return err
	})
	return until, err
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

// onLinkOnly is the outcome for a message of a session that could not be
// settled on its link.
func (l *lock) onLinkOnly() error {
	if l.span.ended() {
		return errSessionGone
	}
	return errors.New("the broker did not confirm, and a session allows no second try")
}

// errSessionGone means that a session's link is gone, and its locks with it.
var errSessionGone = fmt.Errorf("%w: the session's link is gone", queue.ErrLockLost)

// Renew implements queue.Lock. A context without a deadline is given one of
// operationLimit.
func (l *lock) Renew(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	if !l.receiver.settling.survives() && l.span.ended() {
		return time.Time{}, translate("renew", l.receiver.name, errSessionGone)
	}
	until, err := l.renew(ctx, l.message)
	return until, translate("renew", l.receiver.name, err)
}
