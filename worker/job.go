package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// process takes one delivery from receipt to settlement. The job is done on
// work, its reply and its settlement on last.
func (w *Worker) process(work, last context.Context, d *heldDelivery) {
	defer d.release()
	work, last, end := w.observer.process(work, last, d)
	defer end()
	held, stop := keepLock(work, d.Delivery)
	defer stop()

	v := w.judge(held, d)
	d.portion.drop()
	w.conclude(held, last, d, v)
}

// judge does the job and says what it came to. A panic is a defect of ours
// and must not end the other jobs: it counts as a failed attempt.
func (w *Worker) judge(ctx context.Context, d *heldDelivery) (v verdict) {
	var job schema.Job
	defer func() {
		if p := recover(); p != nil {
			w.logDefect("message_id", d.ID, job, p)
			v = w.retry(d.Delivery, nil, errDefect)
		}
	}()

	var err error
	job, err = schema.Decode(d.Body, w.Limits)
	if invalid, ok := errors.AsType[*schema.Invalid](err); ok {
		return undecodable(d.Delivery, invalid)
	}
	d.portion.is(len(job.Items))
	if why := d.checkAddress(); why != "" {
		return refused(job, &schema.Error{Code: schema.CodeReplyNotAllowed, Message: why})
	}
	ref, err := w.Policy.Allow(job, d.Message)
	if err != nil {
		return refused(job, notAllowed(err))
	}
	return w.do(ctx, d, job, ref)
}

// logDefect tells of a panic, and where it was.
func (w *Worker) logDefect(what, id string, job schema.Job, p any) {
	w.Log.Error("defect", what, id, "panic", panicText(job, p), "stack", string(debug.Stack()))
}

// panicText is what may be logged of a panic. What somebody puts together to
// panic with may quote a plaintext, wherever the job has one or could not be
// read; what the runtime says does not.
func panicText(job schema.Job, p any) string {
	switch job.Operation {
	case schema.Sign, schema.Verify, schema.GetPublicKey:
		return fmt.Sprint(p)
	}
	if defect, ok := p.(runtime.Error); ok {
		return defect.Error()
	}
	return fmt.Sprintf("%T, not shown because it may quote a plaintext", p)
}

// do resolves the key of an allowed job and does its items.
func (w *Worker) do(ctx context.Context, d *heldDelivery, job schema.Job, ref signer.Ref) verdict {
	attempt, cancel := context.WithTimeout(ctx, w.JobTimeout)
	defer cancel()
	if !job.NotAfter.IsZero() {
		attempt, cancel = context.WithDeadline(attempt, job.NotAfter)
		defer cancel()
	}

	key, err := w.Keys.Resolve(attempt, ref)
	if err != nil {
		v := refused(job, itemError(err, job.NotAfter))
		if v.result.Items[0].Error.Retryable {
			return w.retry(d.Delivery, v.result, err)
		}
		v.cause = err
		return v
	}
	attempt, span := w.observer.items(attempt, job, key)
	items, passing, cause := w.doItems(attempt, d, job, key)
	endItems(span, items, cause)
	result := newResult(job, key.KID, items)
	if passing {
		return w.retry(d.Delivery, &result, cause)
	}
	v := answered(result)
	v.cause = cause
	return v
}
