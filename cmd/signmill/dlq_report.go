package main

import (
	"fmt"
	"io"
	"strconv"
)

// print writes a report for people.
func (r letterReport) print(out io.Writer) error {
	t := newTable(out)
	t.fact("number", strconv.FormatInt(r.SequenceNumber, 10))
	t.fact("reason", r.Reason)
	t.fact("description", r.Description)
	t.fact("delivery count", strconv.Itoa(r.Deliveries))
	t.fact("came", utc(r.Enqueued))
	t.fact("message id", r.MessageID)
	t.fact("correlation id", r.CorrelationID)
	t.fact("reply to", r.ReplyTo)
	t.fact("reply to session", r.ReplyToSessionID)
	t.fact("session", r.SessionID)
	t.fact("subject", r.Subject)
	t.fact("content type", r.ContentType)
	t.fact("properties", propertyText(r.Properties))
	t.fact("bytes", strconv.Itoa(r.Size))
	t.fact("sha256", r.SHA256)
	t.fact("job", r.JobID)
	if r.Job == nil {
		t.fact("content", "cannot be decoded, and is not shown")
		return t.close()
	}
	r.Job.print(t)
	return t.close()
}

func (r *jobReport) print(t table) {
	t.fact("operation", string(r.Operation))
	t.fact("key", r.Key)
	t.fact("algorithm", string(r.Algorithm))
	if r.NotAfter != nil {
		t.fact("not after", utc(*r.NotAfter))
	}
	t.fact("labels", tagText(r.Labels))
	t.fact("items", strconv.Itoa(r.Items))
	for _, item := range r.First {
		digest := ""
		if item.Digest != "" {
			digest = " digest " + item.Digest
		}
		t.fact("item", fmt.Sprintf("%s%s", item.ID, digest))
	}
	if more := r.Items - len(r.First); more > 0 {
		t.fact("and", strconv.Itoa(more)+" more")
	}
}
