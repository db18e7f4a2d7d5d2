package worker

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// progress is how far the attempts at a job came under one lock. What is done
// stays done, and the key version is the same for all items.
type progress struct {
	job      schema.Job
	ref      signer.Ref
	key      signer.Key
	resolved bool
	results  []schema.ItemResult
	errs     []error
	done     []bool
	waiter   *waiter // nil: it stays, whatever happens
}

func newProgress(job schema.Job, ref signer.Ref) *progress {
	n := len(job.Items)
	return &progress{job: job, ref: ref, results: make([]schema.ItemResult, n), errs: make([]error, n), done: make([]bool, n)}
}

// do makes attempts at an allowed job until it has an outcome, or has to wait
// for longer than is good under a lock.
func (w *Worker) do(ctx context.Context, d *heldDelivery, job schema.Job, ref signer.Ref) verdict {
	p := newProgress(job, ref)
	if d.from.later != nil {
		ctx, p.waiter = w.standstill.enter(ctx, ref)
		defer p.waiter.leave()
	}
	for {
		passing, cause := w.attempt(ctx, d, p)
		if !passing {
			v := answered(newResult(job, p.key.KID, p.results))
			v.cause = cause
			return v
		}
		if why := context.Cause(ctx); errors.Is(why, errDrained) || errors.Is(why, errStandstill) {
			cause = why
		}
		t := w.trial(d, cause)
		t.inHand = ctx.Err() == nil
		next := decide(t)
		if next.step != stepAgain {
			result := newResult(job, p.key.KID, p.results)
			return d.follow(next, &result, cause)
		}
		if !next.free {
			d.more++
		}
		rest(ctx, d.draining, next.wait)
	}
}

// attempt does what is left to do of a job, within JobTimeout. It reports
// whether something failed that may pass, and the first of those failures as
// the cause; else the first of all.
func (w *Worker) attempt(ctx context.Context, d *heldDelivery, p *progress) (passing bool, cause error) {
	w.observer.tally.step(d)
	ctx, cancel := context.WithTimeout(ctx, w.JobTimeout)
	defer cancel()
	if !p.job.NotAfter.IsZero() {
		ctx, cancel = context.WithDeadline(ctx, p.job.NotAfter)
		defer cancel()
	}
	if !p.resolved {
		key, err := w.Keys.Resolve(ctx, p.ref)
		if err != nil {
			why := itemError(err, p.job.NotAfter)
			p.results = failAll(p.job, why)
			return why.Retryable, err
		}
		if why := w.outOfReach(p.job, key); why != nil {
			p.results = failAll(p.job, why)
			return false, nil
		}
		p.key, p.resolved = key, true
	}
	ctx = w.observer.items(ctx, p.job, p.key)
	passing, cause = w.doItems(ctx, d, p)
	w.observer.endItems(ctx, p.job, p.results, cause)
	return passing, cause
}

// trial is what is known when an attempt at d failed.
func (w *Worker) trial(d *heldDelivery, cause error) trial {
	now := w.keeper.meter.broker(time.Now())
	t := trial{
		cause:     cause,
		attempts:  d.attempts(),
		most:      w.MaxDeliveries,
		notAfter:  forever,
		tooOld:    forever,
		scheduled: d.from.later != nil,
	}
	longest := longestIdling
	if t.scheduled {
		longest = LongestPause
	}
	t.pause = pauseBefore(t.attempts, longest, rand.N[time.Duration])
	select {
	case <-d.draining:
		t.ending = true
	default:
	}
	if !d.notAfter.IsZero() {
		t.notAfter = time.Until(d.notAfter)
	}
	if old := w.tooOld(d); !old.IsZero() {
		t.tooOld = old.Sub(now)
	}
	if still, ok := errors.AsType[stillError](cause); ok {
		t.pause = still.pause(min(t.notAfter, t.tooOld), rand.N[time.Duration])
	}
	return t
}

// tooOld is the broker time from which on a job is not tried again; zero: it is
// not known when it came.
func (w *Worker) tooOld(d *heldDelivery) time.Time {
	if d.past.first.IsZero() {
		return d.ExpiresAt
	}
	old := d.past.first.Add(w.MaxAge)
	if !d.ExpiresAt.IsZero() && d.ExpiresAt.Before(old) {
		return d.ExpiresAt
	}
	return old
}

// attempts is how many were made at the job, this one included.
func (d *heldDelivery) attempts() int { return d.past.attempts + d.Count + d.more }

// lastAttempt reports whether a job that fails now is not given back.
func (w *Worker) lastAttempt(d *heldDelivery) bool { return d.attempts() >= w.MaxDeliveries }

// follow is what the next step makes of a job. A nil result tells the sender
// nothing, unless the time is over.
func (d *heldDelivery) follow(next decision, result *schema.Result, cause error) verdict {
	switch {
	case next.step == stepExhausted:
		return exhausted(d, result, cause)
	case next.step == stepTooLate && result != nil:
		v := answered(expired(*result))
		v.cause = cause
		return v
	}
	v := verdict{outcome: queue.Abandon, cause: cause, wait: next.wait, past: past{d.attempts(), d.past.first}}
	if next.free {
		v.past.attempts = max(0, v.past.attempts-1)
	}
	return v
}

// expired tells the sender of a result that the time is over for what failed in
// a way that may pass.
func expired(result schema.Result) schema.Result {
	for i, item := range result.Items {
		if item.Error != nil && item.Error.Retryable {
			result.Items[i].Error = &schema.Error{Code: schema.CodeExpired, Message: "notAfter comes before the item can be tried again; send a new job"}
		}
	}
	return result
}
