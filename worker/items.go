package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/quota"
)

// doItems does the items of a job at the same time, each in its turn, and
// returns one result for each in order. Passing and cause are as in explain.
//
// A job whose item failed in a way that may pass is given back, and what was
// done is thrown away. So it takes no more turns then, unless it is thorough:
// on the last attempt the sender is told how far it came.
//
// Each job has one goroutine that waits for a turn. Go serves waiting senders
// of a channel first come, first served, so that jobs take turns item by item
// and a job of thousands does not delay a job of one.
func (w *Worker) doItems(ctx context.Context, job schema.Job, key signer.Key, thorough bool) (results []schema.ItemResult, passing bool, cause error) {
	results = make([]schema.ItemResult, len(job.Items))
	errs := make([]error, len(job.Items))
	ctx = quota.WithCaller(ctx, quota.Caller{Job: job.ID})
	turns, noMore := context.WithCancel(ctx)
	defer noMore()
	var items sync.WaitGroup
	for i, item := range job.Items {
		results[i].ID = item.ID
		items.Add(1)
		err := w.takeTurn(turns, func() {
			defer items.Done()
			errs[i] = w.doItem(ctx, job, key, item, &results[i])
			if errs[i] != nil && !thorough && itemError(errs[i], job.NotAfter).Retryable {
				noMore()
			}
		})
		if err != nil {
			errs[i] = err
			items.Done()
		}
	}
	items.Wait()
	passing, cause = explain(results, errs, job.NotAfter)
	return results, passing, cause
}

// takeTurn hands an item to one of the Concurrency goroutines that take turns, and
// fails when ctx ends before one of them is free.
func (w *Worker) takeTurn(ctx context.Context, item func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case w.turns <- item:
		return nil
	}
}

// takeTurns does one item after the other until turns is closed. It lives as
// long as the worker: a goroutine for each item would grow its stack anew to
// the depth of an HTTP request.
func (w *Worker) takeTurns() {
	for item := range w.turns {
		item()
	}
}

// errDefect stands for a panic, which is in the log.
var errDefect = errors.New("the worker has a defect")

// doItem puts what the job's operation makes of an item into result, or fails
// and leaves result as it is. A panic ends the item alone: nothing else could
// recover from it in this goroutine.
func (w *Worker) doItem(ctx context.Context, job schema.Job, key signer.Key, item schema.Item, result *schema.ItemResult) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.logDefect("job", job.ID, job, p)
			err = errDefect
		}
	}()
	made := *result
	if err := operate(ctx, w.Keys, task{job, key, item}, &made); err != nil {
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
	if isContextError(err) {
		return &schema.Error{Code: schema.CodeUnavailable, Message: "the worker ran out of time", Retryable: true}
	}
	e := signer.AsError(err)
	return &schema.Error{Code: e.Code, Message: e.Message, Retryable: e.Retryable()}
}
