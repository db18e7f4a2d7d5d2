package deadletter

import (
	"errors"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
)

// The application properties under which the broker keeps why a message is a
// dead letter.
const (
	propertyReason      = "DeadLetterReason"
	propertyDescription = "DeadLetterErrorDescription"
)

// Letter is a dead letter, and what can be told of it without its content.
type Letter struct {
	SequenceNumber int64     `json:"sequenceNumber"`
	MessageID      string    `json:"messageId"`
	JobID          string    `json:"jobId,omitempty"` // empty where it cannot be read
	Reason         string    `json:"reason,omitempty"`
	Description    string    `json:"description,omitempty"`
	Deliveries     int       `json:"deliveryCount"`
	Enqueued       time.Time `json:"enqueued"` // when the job came
	Size           int       `json:"size"`     // of the body, in bytes
}

// New reads a message. Deliveries are those that have failed.
func New(m queue.Message, r queue.Receipt) Letter {
	_, id := readJob(m.Body)
	return Letter{
		SequenceNumber: r.SequenceNumber, MessageID: m.ID, JobID: id,
		Reason: text(m.Properties[propertyReason]), Description: text(m.Properties[propertyDescription]),
		Deliveries: r.Count, Enqueued: r.EnqueuedAt.UTC(), Size: len(m.Body),
	}
}

// anyJob are limits under which every job can be decoded that a queue holds.
const anyJob = 100 << 20

// readJob decodes a body. The id may be known of a job that is not valid.
func readJob(body []byte) (job *schema.Job, id string) {
	found, err := schema.Decode(body, schema.Limits{MaxBytes: anyJob, MaxItems: anyJob, MaxResultBytes: anyJob})
	if invalid, ok := errors.AsType[*schema.Invalid](err); ok {
		return nil, invalid.JobID
	}
	return &found, found.ID
}

// text is a property as text; "" for any other type.
func text(property any) string {
	s, _ := property.(string)
	return s
}
