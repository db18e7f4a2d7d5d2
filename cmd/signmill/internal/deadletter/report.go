package deadletter

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"strconv"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/worker/policy"
)

// errNoLetter means that nothing is what was asked for.
var errNoLetter = errors.New("there is none with that sequence number or job id; dlq list shows what there is")

// Find returns the dead letter with a sequence number, or else the first one of
// a job. Where there is none, the error says what to do.
func Find(ctx context.Context, b queue.Browser, arg string) (queue.Browsed, error) {
	if number, err := strconv.ParseInt(arg, 10, 64); err == nil {
		page, err := b.Browse(ctx, number, 1)
		if err != nil || len(page) > 0 && page[0].SequenceNumber == number {
			return firstOf(page), err
		}
	}
	for m, err := range Scan(ctx, b, Filter{Jobs: []string{arg}}) {
		return m, err
	}
	return queue.Browsed{}, errNoLetter
}

func firstOf(page []queue.Browsed) (m queue.Browsed) {
	if len(page) > 0 {
		m = page[0]
	}
	return m
}

// Report is all that show tells.
type Report struct {
	Letter
	CorrelationID    string         `json:"correlationId,omitempty"`
	ReplyTo          string         `json:"replyTo,omitempty"`
	ReplyToSessionID string         `json:"replyToSessionId,omitempty"`
	SessionID        string         `json:"sessionId,omitempty"`
	Subject          string         `json:"subject,omitempty"`
	ContentType      string         `json:"contentType,omitempty"`
	Properties       map[string]any `json:"properties,omitempty"` // without those of the dead letter, and without tokens
	SHA256           string         `json:"sha256"`               // of the body, base64url
	Job              *Job           `json:"job,omitempty"`        // nil: it cannot be decoded
}

// Job is what a job asks for, without what it must not show.
type Job struct {
	Operation schema.Operation  `json:"operation"`
	Key       string            `json:"key"`
	Algorithm schema.Algorithm  `json:"algorithm,omitempty"`
	NotAfter  *time.Time        `json:"notAfter,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
	Items     int               `json:"items"`
	First     []Item            `json:"first"` // some of the items
}

// Item is one item of a job.
type Item struct {
	ID     string `json:"id"`
	Digest string `json:"digest,omitempty"` // base64url, of sign and verify
}

// shownItems is how many items of a job are named.
const shownItems = 5

// NewReport reads a dead letter; its content may be anything.
func NewReport(m queue.Browsed) Report {
	sum := sha256.Sum256(m.Body)
	r := Report{
		Letter:        New(m.Message, m.Receipt),
		CorrelationID: m.CorrelationID, ReplyTo: m.ReplyTo, ReplyToSessionID: m.ReplyToSessionID, SessionID: m.SessionID,
		Subject: m.Subject, ContentType: m.ContentType, Properties: policy.HideClaims(livingProperties(m.Properties)),
		SHA256: base64.RawURLEncoding.EncodeToString(sum[:]),
	}
	if job, _ := readJob(m.Body); job != nil {
		r.Job = newJob(*job)
	}
	return r
}

func newJob(job schema.Job) *Job {
	r := &Job{Operation: job.Operation, Key: job.Key, Algorithm: job.Algorithm, Labels: job.Labels, Items: len(job.Items)}
	if !job.NotAfter.IsZero() {
		r.NotAfter = &job.NotAfter
	}
	for _, item := range job.Items[:min(len(job.Items), shownItems)] {
		r.First = append(r.First, Item{item.ID, base64.RawURLEncoding.EncodeToString(item.Digest)})
	}
	return r
}

// livingProperties are the application properties that the sender has set.
func livingProperties(all map[string]any) map[string]any {
	living := maps.Clone(all)
	delete(living, propertyReason)
	delete(living, propertyDescription)
	return living
}
