package campaign

import (
	"context"
	"fmt"
	"strconv"

	"github.com/signmill/signmill/cmd/signmill/internal/files"
	"github.com/signmill/signmill/cmd/signmill/internal/manifest"
	"github.com/signmill/signmill/cmd/signmill/internal/parallel"
	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
)

// submit reads the files and sends them off in jobs, as many as the window
// holds, until soft ends.
func (c *signing) submit(soft, ctx context.Context) error {
	digest := func(path string) files.Document { return files.Digest(soft, path, c.Algorithm) }
	batch, jobs := make([]files.Document, 0, c.Items), 0
	for d, err := range parallel.InOrder(c.Hashers, c.Plan.paths(), digest) {
		switch {
		case soft.Err() != nil || ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case d.Err != nil:
			if err := c.Record.record([]outcome{c.unreadable(d)}); err != nil {
				return err
			}
			continue
		}
		if batch = append(batch, d); len(batch) < c.Items {
			continue
		}
		if err := c.dispatch(soft, ctx, jobs, batch); err != nil {
			return err
		}
		batch, jobs = make([]files.Document, 0, c.Items), jobs+1
	}
	return c.dispatch(soft, ctx, jobs, batch)
}

// dispatch sends one job for a batch, if there is anything in it.
func (c *signing) dispatch(soft, ctx context.Context, number int, batch []files.Document) error {
	if len(batch) == 0 || soft.Err() != nil {
		return nil
	}
	message, err := c.job(number, batch)
	if err != nil {
		return err
	}
	return c.Send(soft, ctx, message, batch)
}

// job makes the message that asks for the signatures of a batch. An item's id
// is its place in the batch.
func (c *signing) job(number int, batch []files.Document) (queue.Message, error) {
	job := schema.Job{
		ID:        c.jobID(number),
		Operation: schema.Sign,
		Key:       c.Key,
		Algorithm: c.Algorithm,
		Format:    schema.JOSE,
	}
	for i, d := range batch {
		job.Items = append(job.Items, schema.Item{ID: strconv.Itoa(i), Digest: d.Digest})
	}
	body, err := job.Encode(schema.Limits{})
	if err != nil {
		return queue.Message{}, fmt.Errorf("make a job: %w", err)
	}
	m := queue.Message{
		ID:          job.ID,
		ReplyTo:     c.ReplyTo,
		Subject:     schema.JobVersion,
		ContentType: "application/json",
		Body:        body,
	}
	if c.Session {
		m.ReplyToSessionID = c.ID
	}
	return m, nil
}

// jobID returns the id of a job. It begins with the run, so that late replies
// to an interrupted run are known as our own.
func (c *signing) jobID(number int) string {
	return c.ID + "." + c.Attempt + "-" + strconv.Itoa(number)
}

// unreadable is the outcome of a file that could not be hashed.
func (c *signing) unreadable(d files.Document) outcome {
	return c.failure(d, manifest.Failure{Code: manifest.Unreadable, Message: d.Err.Error()})
}
