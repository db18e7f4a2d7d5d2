package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/signmill/signmill/schema"
)

// process takes one delivery from receipt to settlement. The job is done on
// work, its reply and its settlement on last.
func (w *Worker) process(work, last context.Context, d *heldDelivery) {
	defer d.leave()
	work, last, end := w.observer.process(work, last, d)
	defer end()
	held, letGo := w.keeper.keep(work, d.Delivery, d.lock)
	defer letGo()

	if how, done := w.unconfirmed.take(d.from.name, d.Delivery); done {
		d.portion.drop()
		w.resume(last, d, how)
		return
	}
	v := w.judge(withOrigin(held, d.Delivery), d)
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
			v = d.follow(decide(w.trial(d, errDefect)), nil, errDefect)
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
	d.notAfter = job.NotAfter
	if err := w.awaitReply(ctx, d); err != nil {
		return d.follow(decide(w.trial(d, err)), nil, err)
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
