package main

import (
	"fmt"
	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"io"
	"strconv"
)

// print writes a report for people.
func (r letterReport) print(out io.Writer) error {
	t := display.NewTable(out)
	t.Fact("number", strconv.FormatInt(r.SequenceNumber, 10))
	t.Fact("reason", r.Reason)
	t.Fact("description", r.Description)
	t.Fact("delivery count", strconv.Itoa(r.Deliveries))
	t.Fact("came", display.Time(r.Enqueued))
	t.Fact("message id", r.MessageID)
	t.Fact("correlation id", r.CorrelationID)
	t.Fact("reply to", r.ReplyTo)
	t.Fact("reply to session", r.ReplyToSessionID)
	t.Fact("session", r.SessionID)
	t.Fact("subject", r.Subject)
	t.Fact("content type", r.ContentType)
	t.Fact("properties", propertyText(r.Properties))
	t.Fact("bytes", strconv.Itoa(r.Size))
	t.Fact("sha256", r.SHA256)
	t.Fact("job", r.JobID)
	if r.Job == nil {
		t.Fact("content", "cannot be decoded, and is not shown")
		return t.Close()
	}
	r.Job.print(t)
	return t.Close()
}

func (r *jobReport) print(t display.Table) {
	t.Fact("operation", string(r.Operation))
	t.Fact("key", r.Key)
	t.Fact("algorithm", string(r.Algorithm))
	if r.NotAfter != nil {
		t.Fact("not after", display.Time(*r.NotAfter))
	}
	t.Fact("labels", display.Tags(r.Labels))
	t.Fact("items", strconv.Itoa(r.Items))
	for _, item := range r.First {
		digest := ""
		if item.Digest != "" {
			digest = " digest " + item.Digest
		}
		t.Fact("item", fmt.Sprintf("%s%s", item.ID, digest))
	}
	if more := r.Items - len(r.First); more > 0 {
		t.Fact("and", strconv.Itoa(more)+" more")
	}
}
