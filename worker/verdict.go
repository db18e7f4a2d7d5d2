package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// verdict is what one delivery came to: what to tell the sender, and how to
// settle.
type verdict struct {
	outcome     queue.Outcome
	result      *schema.Result // nil: the sender is told nothing
	replyID     string         // MessageID under which the result is sent
	reason      schema.Code    // of a dead letter
	description string         // of a dead letter
	refused     *schema.Job    // that may not or cannot be done; nil: it is another verdict
	cause       error          // of a failure; nil: there was none. For the log only, since it may quote a vault's answer

	// Of a job that is given back.
	wait   time.Duration // until it may come again
	past   past          // what it then tells of itself
	putOff bool          // a copy was sent
}

// settlement is how the delivery ends.
func (v verdict) settlement() queue.Settlement {
	return queue.Settlement{Outcome: v.outcome, Reason: string(v.reason), Description: v.description}
}

// answered is a job whose items all have a final outcome.
func answered(result schema.Result) verdict {
	return verdict{outcome: queue.Complete, result: &result, replyID: schema.ReplyID(result.ID)}
}

// refused is a valid job that may not or cannot be done: each item fails
// alike, and the job is over.
func refused(job schema.Job, why *schema.Error) verdict {
	v := answered(newResult(job, "", failAll(job, why)))
	v.refused = &job
	return v
}

// undecodable is a message that is no job. The sender is told when the job's
// id could be read.
func undecodable(d *queue.Delivery, invalid *schema.Invalid) verdict {
	v := verdict{outcome: queue.DeadLetter, reason: invalid.Code, description: invalid.Message}
	if invalid.JobID != "" {
		result := invalid.Result()
		v.result, v.replyID = &result, schema.RefusedID(d.Body)
	}
	return v
}

// exhausted is a job whose attempts are used up. The sender is told how far
// it came.
func exhausted(d *heldDelivery, result *schema.Result, cause error) verdict {
	v := verdict{
		outcome:     queue.DeadLetter,
		reason:      schema.CodeAttemptsExhausted,
		description: fmt.Sprintf("after %d attempts: %s", d.attempts(), summary(cause)),
		cause:       cause,
	}
	if result != nil {
		v.result, v.replyID = result, schema.ExhaustedID(result.ID, d.SequenceNumber)
	}
	return v
}

// unsent is what becomes of v when its reply cannot be sent: a failed attempt.
// On the last one a dead letter keeps its own reason. A reply that is too large
// would be so again, so that it is the last one at once.
func (w *Worker) unsent(held, last context.Context, d *heldDelivery, v verdict, cause error) verdict {
	if errors.Is(cause, queue.ErrTooLarge) && v.outcome == queue.Complete {
		v = oversized(d, *v.result, cause)
		if err := w.reply(held, last, d, v); err != nil {
			v.cause = fmt.Errorf("%w; and the notice: %w", cause, err)
		}
		return v
	}
	if errors.Is(context.Cause(held), errDrained) {
		cause = fmt.Errorf("%w: %w", errDrained, cause)
	}
	next := decide(w.trial(d, cause))
	if next.step == stepExhausted && v.outcome == queue.DeadLetter {
		v.cause = cause
		return v
	}
	return d.follow(next, nil, cause)
}

// oversized is a job whose result is larger than its reply queue allows. The
// sender is told that alone.
func oversized(d *heldDelivery, result schema.Result, cause error) verdict {
	why := &schema.Error{Code: schema.CodeTooLarge, Message: "the result is larger than the reply queue allows; send fewer items in one job"}
	items := make([]schema.ItemResult, len(result.Items))
	for i, item := range result.Items {
		items[i] = schema.ItemResult{ID: item.ID, Error: why}
	}
	notice := schema.Result{ID: result.ID, Status: schema.Failed, Labels: result.Labels, Items: items}
	return verdict{
		outcome: queue.DeadLetter, reason: schema.CodeTooLarge, description: why.Message, cause: cause,
		result: &notice, replyID: schema.ExhaustedID(result.ID, d.SequenceNumber),
	}
}

// newResult sums up the items of a job. The kid is named only where it signed.
func newResult(job schema.Job, kid string, items []schema.ItemResult) schema.Result {
	status := schema.StatusOf(items)
	if status == schema.Failed {
		kid = ""
	}
	return schema.Result{ID: job.ID, Status: status, KID: kid, Labels: job.Labels, Items: items}
}

// failAll gives every item of a job the same error.
func failAll(job schema.Job, why *schema.Error) []schema.ItemResult {
	items := make([]schema.ItemResult, len(job.Items))
	for i, item := range job.Items {
		items[i] = schema.ItemResult{ID: item.ID, Error: why}
	}
	return items
}

// summary is the text of an error that may stand in a dead letter: of a
// signer's error the message alone, since its cause may quote a response.
func summary(err error) string {
	if e, ok := errors.AsType[*signer.Error](err); ok {
		return string(e.Code) + ": " + e.Message
	}
	return err.Error()
}

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// log writes the one event of a delivery that was settled as v says.
func (v verdict) log(log *slog.Logger) {
	if v.cause != nil {
		log = log.With("error", v.cause)
	}
	switch {
	case v.outcome == queue.DeadLetter:
		log.Error("job dead-lettered", "reason", v.reason, "description", v.description)
	case v.outcome == queue.Abandon:
		log.Warn("job given back")
	case v.putOff:
		log.Warn("job put off", "wait_ms", v.wait.Milliseconds(), "attempts", v.past.attempts)
	default:
		log.Info("job answered", "job", v.result.ID, "status", v.result.Status, "items", len(v.result.Items), "kid", v.result.KID)
	}
}
