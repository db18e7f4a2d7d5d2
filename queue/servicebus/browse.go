package servicebus

import (
	"context"
	"errors"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/signmill/signmill/queue"
)

var _ queue.Browser = (*Receiver)(nil)

// Browse implements queue.Browser, on the link for settlements. A receiver of
// a session sees the messages of that session. One message that the client
// cannot decode fails the whole call; among dead letters there is none, because
// the broker has replaced the properties that it fails on. A context without a
// deadline is given one of 60 s.
func (r *Receiver) Browse(ctx context.Context, from int64, limit int) ([]queue.Browsed, error) {
	if limit < 1 {
		return nil, translate("browse", r.name, errors.New("limit is below 1"))
	}
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	var seen []*azservicebus.ReceivedMessage
	err := r.door.pass(ctx, func(ctx context.Context) (err error) {
		seen, err = guarded(func() ([]*azservicebus.ReceivedMessage, error) {
			return r.settling.PeekMessages(ctx, limit, &azservicebus.PeekMessagesOptions{FromSequenceNumber: &from})
		})
		return err
	})
	if err != nil {
		return nil, translate("browse", r.name, err)
	}
	browsed := make([]queue.Browsed, len(seen))
	for i, m := range seen {
		browsed[i] = queue.Browsed{Message: incoming(m), Receipt: receipt(m)}
		browsed[i].Count-- // this is not a delivery
		browsed[i].LockedUntil = time.Time{}
	}
	return browsed, nil
}
