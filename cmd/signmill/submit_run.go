package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/signmill/signmill/cmd/signmill/internal/exchange"
	"github.com/signmill/signmill/cmd/signmill/internal/jobfile"
	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
)

// submission sends jobs and prints their results.
type submission struct {
	*exchange.Exchange[asked]
	config exchange.Config
	streams
	jobs  *jobfile.File
	sent  int   // how many jobs were read and had their turn
	fault error // in the jobs; those before it are under way. The submitter owns both until it ends

	mu     sync.Mutex // guards the output and the fields below
	failed int        // jobs without a success
	wrong  int        // jobs with a signature that does not verify
}

// asked is what is kept of a job to judge its result.
type asked struct {
	id    string
	items []string // their ids
}

// newSubmission prepares to send jobs.
func newSubmission(c exchange.Config, jobs *jobfile.File, s streams) *submission {
	c.Advice = "check that a worker serves the job queue, and that the jobs' ids are new: one that was used before gets no second result"
	return &submission{Exchange: exchange.New[asked](c), config: c, streams: s, jobs: jobs}
}

// run sends the jobs, prints their results, and sums up.
func (u *submission) run(s stages) error {
	err := u.Exchange.Run(s.Soft, s.Hard, u.submit, u.answer)
	if errors.Is(err, errHurry) {
		err = nil
	}
	switch {
	case s.Soft.Err() != nil:
		return errors.Join(&exit{exitInterrupted, fmt.Errorf("interrupted with %d jobs unanswered", u.Unanswered())}, err, u.fault)
	case err != nil || u.fault != nil:
		return errors.Join(err, u.fault)
	case u.failed > 0:
		return fmt.Errorf("%d of %d jobs failed, in whole or in part: their results say why", u.failed, u.sent)
	case u.wrong > 0:
		return &exit{exitProblems, fmt.Errorf("%d of %d jobs have a signature that does not verify", u.wrong, u.sent)}
	}
	return nil
}

// submit sends the jobs one after the other, as many as the window holds, until
// soft ends. A fault in them ends it, too: those before it are answered yet.
func (u *submission) submit(soft, ctx context.Context) error {
	return u.each(soft, ctx, func(m queue.Message, job schema.Job) error {
		keep := asked{id: job.ID}
		for _, item := range job.Items {
			keep.items = append(keep.items, item.ID)
		}
		return u.Send(soft, ctx, m, keep)
	})
}

// post sends the jobs and waits for nothing.
func (u *submission) post(ctx context.Context) error {
	err := u.each(ctx, ctx, func(m queue.Message, _ schema.Job) error { return u.config.Jobs.Send(ctx, m) })
	switch {
	case ctx.Err() != nil:
		return &exit{exitInterrupted, fmt.Errorf("interrupted after %d jobs", u.sent)}
	case err != nil || u.fault != nil:
		return fmt.Errorf("after %d jobs that were sent: %w", u.sent, errors.Join(err, u.fault))
	}
	return nil
}

// each hands on one message for each job.
func (u *submission) each(soft, ctx context.Context, send func(queue.Message, schema.Job) error) error {
	jobs := u.jobs.Trickle(ctx)
	for {
		select {
		case <-soft.Done():
			return nil
		case <-ctx.Done():
			return nil
		case job, more := <-jobs:
			if u.fault = job.Fault; !more || u.fault != nil {
				return nil
			}
			if err := send(u.message(job.Document), job.Job); err != nil {
				return err
			}
			u.sent++
		}
	}
}

// message carries a job as it was written. Its reply is known by a correlation
// id of ours, since the job's own id may be known to others.
func (u *submission) message(job jobfile.Document) queue.Message {
	m := queue.Message{
		ID:            job.ID,
		CorrelationID: u.config.ID + "." + strconv.Itoa(u.sent+1),
		ReplyTo:       u.config.ReplyTo,
		Subject:       schema.JobVersion,
		ContentType:   "application/json",
		Body:          job.Text,
	}
	if u.config.Session {
		m.ReplyToSessionID = u.config.ID
	}
	return m
}

// answer prints the result of a job in one line.
func (u *submission) answer(_ context.Context, _ string, job asked, body []byte) error {
	result, err := schema.DecodeResult(body)
	if err == nil {
		err = job.fits(result)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if err != nil {
		u.failed++
		_, err = fmt.Fprintf(u.err, "signmill: the result of job %q cannot be used: %v\n", job.id, err)
		return err
	}
	switch {
	case result.Status != schema.Succeeded:
		u.failed++
	case slices.ContainsFunc(result.Items, isWrong):
		u.wrong++
	}
	var line bytes.Buffer
	if err := json.Compact(&line, body); err != nil {
		return err
	}
	_, err = fmt.Fprintln(u.out, line.String())
	return err
}

// isWrong reports whether an item was a signature that does not verify.
func isWrong(item schema.ItemResult) bool { return item.Valid != nil && !*item.Valid }

// fits fails unless result is one of this job.
func (a asked) fits(result schema.Result) error {
	if result.ID != a.id {
		return fmt.Errorf("it is the result of %q", result.ID)
	}
	if result.Error != nil {
		return nil
	}
	if len(result.Items) != len(a.items) {
		return fmt.Errorf("it has %d items, the job has %d", len(result.Items), len(a.items))
	}
	for i, item := range result.Items {
		if item.ID != a.items[i] {
			return fmt.Errorf("item %d is %q, in the job it is %q", i+1, item.ID, a.items[i])
		}
	}
	return nil
}
