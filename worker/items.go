package worker

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/quota"
)

// doItems does the items of a job that are not done yet at the same time, each
// in its turn. Passing and cause are as in explain.
//
// A job whose item failed in a way that may pass takes no more turns, and its
// other items end: it may have to be given back, and what is done then is thrown
// away. Only on the last attempt they go on: the sender is told how far it came.
// A job that has not begun when the worker drains does not begin any more.
//
// Jobs take turns twice: for places, item by item, and for the quota, by what
// the items cost. A job of thousands does not delay a job of one, and a job of
// dear items does not set the pace of cheap ones.
func (w *Worker) doItems(ctx context.Context, d *heldDelivery, p *progress) (passing bool, cause error) {
	ctx = quota.WithCaller(ctx, quota.Caller{Job: p.job.ID, Lane: d.from.name})
	turns, giveBack := context.WithCancelCause(ctx)
	untraced := quiet(turns)
	defer giveBack(nil)
	waiting := line{places: w.places.at(vaultOf(p.key)), own: d.from.places.at(vaultOf(p.key))}
	var items sync.WaitGroup
	for i := range p.job.Items {
		if p.done[i] {
			continue
		}
		p.results[i], p.errs[i] = schema.ItemResult{ID: p.job.Items[i].ID}, nil
		place, err := waiting.takeTurn(turns, d)
		if err != nil {
			p.errs[i] = err
			continue
		}
		d.begun = true
		items.Add(1)
		w.hand(func() {
			defer items.Done()
			ended := false
			defer func() { d.portion.less(ended) }()
			defer place.free()
			p.errs[i] = w.doItem(waiting.watch(traceItem(turns, untraced, i), place), task{p.job, p.key, p.job.Items[i]}, &p.results[i])
			p.done[i] = p.errs[i] == nil
			ended = p.done[i] || !itemError(p.errs[i], p.job.NotAfter).Retryable
			if ended && p.asksVault() {
				p.waiter.answered()
			}
			if !ended && !w.lastAttempt(d) {
				giveBack(p.errs[i])
			}
		})
	}
	items.Wait()
	passing, cause = explain(p.results, p.errs, p.job.NotAfter)
	if ctx.Err() == nil && turns.Err() != nil {
		cause = context.Cause(turns) // the others ended because of it
	}
	return passing, cause
}

// takeTurn waits until a job may start its next item, and fails when ctx ends
// before.
func (l *line) takeTurn(ctx context.Context, d *heldDelivery) (*place, error) {
	if err := l.await(ctx); err != nil {
		return nil, err
	}
	return takePlace(ctx, l.places, l.own, d.idle())
}

// vaultOf returns the part of a key's identifier that names its vault.
func vaultOf(key signer.Key) string {
	vault, _, _ := strings.Cut(key.KID, "/keys/")
	return vault
}

// errDefect stands for a panic, which is in the log.
var errDefect = errors.New("the worker has a defect")

// doItem puts what the job's operation makes of an item into result, or fails
// and leaves result as it is. A panic ends the item alone: nothing else could
// recover from it in this goroutine.
func (w *Worker) doItem(ctx context.Context, t task, result *schema.ItemResult) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.logDefect("job", t.ID, t.Job, p)
			err = errDefect
		}
	}()
	made := *result
	if err := w.witnessed(ctx, t, &made); err != nil {
		return err
	}
	*result = made
	return nil
}

// explain turns errs into the errors of results. It reports whether one of
// them may pass, and the first of those as the cause; else the first of all.
func explain(results []schema.ItemResult, errs []error, notAfter time.Time) (passing bool, cause error) {
	for i, err := range errs {
		if err == nil {
			continue
		}
		results[i].Error = itemError(err, notAfter)
		first := results[i].Error.Retryable && !passing
		passing = passing || first
		if first || cause == nil {
			cause = err
		}
	}
	return passing, cause
}

// itemError tells the sender of a job what err means to it.
func itemError(err error, notAfter time.Time) *schema.Error {
	if !notAfter.IsZero() && !time.Now().Before(notAfter) {
		return &schema.Error{Code: schema.CodeExpired, Message: "notAfter passed before the item was done; send a new job"}
	}
	if isContextError(err) || errors.Is(err, errDrained) {
		return &schema.Error{Code: schema.CodeUnavailable, Message: "the worker ran out of time", Retryable: true}
	}
	e := signer.AsError(err)
	return &schema.Error{Code: e.Code, Message: e.Message, Retryable: e.Retryable()}
}
