package worker

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
)

// reply sends the result of v, if there is one, to where the sender of d
// wants it. Held and last are as in conclude.
func (w *Worker) reply(held, last context.Context, d *heldDelivery, v verdict) error {
	if v.result == nil {
		return nil
	}
	v.result.TraceID = traceID(last)
	body, err := v.result.Encode(w.Limits.MaxResultBytes)
	if err != nil {
		return err
	}
	if err := w.recordRefusal(last, d.Delivery, v); err != nil {
		return err
	}
	m := queue.Message{
		ID:            v.replyID,
		CorrelationID: correlationID(d.Message),
		SessionID:     ifSendable(d.ReplyToSessionID),
		Subject:       schema.ResultVersion,
		ContentType:   "application/json",
		Body:          body,
	}
	to, _ := d.routes.queue(d.ReplyTo)
	box := d.routes.outboxes[to]
	send := func() error {
		w.observer.tally.step(d)
		return w.observer.send(last, to, box, m)
	}
	return box.insist(held, last, send, insistence{tooLate: w.tooOld(d), leave: d.leave})
}

// outbox is where the reply to d leaves.
func (d *heldDelivery) outbox() *outbox {
	to, _ := d.routes.queue(d.ReplyTo)
	return d.routes.outboxes[to]
}

// correlationID follows the request-reply pattern of Service Bus: the
// request's own CorrelationID if it carries one, else its MessageID.
func correlationID(request queue.Message) string {
	if id := ifSendable(request.CorrelationID); id != "" {
		return id
	}
	return request.ID
}

// maxAddress bounds what a request says about its reply, in characters: the
// broker's limit on a session id. Both then fit into schema.ReplyHeadroom.
const maxAddress = 128

func ifSendable(id string) string {
	if utf8.RuneCountInString(id) > maxAddress {
		return ""
	}
	return id
}

// checkAddress returns what is wrong with where d wants its reply, or "". The
// answer to such a job goes out without what cannot be sent.
func (d *heldDelivery) checkAddress() string {
	if _, listed := d.routes.queue(d.ReplyTo); !listed {
		return "ReplyTo names a queue that this worker does not reply to; leave it empty or have the queue allowed"
	}
	if ifSendable(d.ReplyToSessionID) != d.ReplyToSessionID || ifSendable(d.CorrelationID) != d.CorrelationID {
		return fmt.Sprintf("ReplyToSessionID and CorrelationID may have %d characters at most", maxAddress)
	}
	return ""
}
