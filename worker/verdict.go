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
	cause       error          // of a failure; nil: there was none. For the log only, since it may quote a vault's answer
}

// answered is a job whose items all have a final outcome.
func answered(result schema.Result) verdict {
	return verdict{outcome: queue.Complete, result: &result, replyID: schema.ReplyID(result.ID)}
}

// refused is a valid job that may not or cannot be done: each item fails
// alike, and the job is over.
func refused(job schema.Job, why *schema.Error) verdict {
	return answered(newResult(job, "", failAll(job, why)))
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

// givenBack is a job that failed in a way that may pass.
func givenBack(cause error) verdict {
	return verdict{outcome: queue.Abandon, cause: cause}
}

// exhausted is a job whose attempts are used up. The sender is told how far
// it came.
func exhausted(d *queue.Delivery, result *schema.Result, cause error) verdict {
	v := verdict{
		outcome:     queue.DeadLetter,
		reason:      schema.CodeAttemptsExhausted,
		description: fmt.Sprintf("after %d deliveries: %s", d.Count, summary(cause)),
		cause:       cause,
	}
	if result != nil {
		v.result, v.replyID = result, schema.ExhaustedID(result.ID, d.SequenceNumber)
	}
	return v
}

// retry gives a job back, or ends it when its attempts are used up. A nil
// result tells the sender nothing.
func (w *Worker) retry(d *queue.Delivery, result *schema.Result, cause error) verdict {
	if !w.lastAttempt(d) {
		return givenBack(cause)
	}
	return exhausted(d, result, cause)
}

// lastAttempt reports whether a job that fails now is not given back.
func (w *Worker) lastAttempt(d *queue.Delivery) bool { return d.Count >= w.MaxDeliveries }

// unsent is what becomes of v when its reply cannot be sent: a failed attempt.
// On the last one a dead letter keeps its own reason.
func (w *Worker) unsent(d *queue.Delivery, v verdict, cause error) verdict {
	if w.lastAttempt(d) && v.outcome == queue.DeadLetter {
		v.cause = cause
		return v
	}
	return w.retry(d, nil, cause)
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
	switch v.outcome {
	case queue.DeadLetter:
		log.Error("job dead-lettered", "reason", v.reason, "description", v.description)
	case queue.Abandon:
		log.Warn("job given back")
	default:
		log.Info("job answered", "job", v.result.ID, "status", v.result.Status, "items", len(v.result.Items), "kid", v.result.KID)
	}
}

// longestHint bounds the pause that a failure asks for.
const longestHint = time.Minute

// hinted returns how long the cause of a failure asks to wait: what the vault
// said, or when the quota would have allowed the call. A job that came again
// before would lose an attempt for nothing.
func hinted(cause error) time.Duration {
	if e, ok := errors.AsType[*signer.Error](cause); ok {
		return min(longestHint, max(0, e.RetryAfter))
	}
	return 0
}

// pauseBefore returns how long a job is kept before it is given back, so that
// a vault in trouble does not burn the job's attempts at once: full jitter
// over 1 s doubled with each attempt, at most 30 s.
func pauseBefore(count int, random func(time.Duration) time.Duration) time.Duration {
	const base, most = time.Second, 30 * time.Second
	return random(min(base<<min(max(count-1, 0), 10), most))
}
