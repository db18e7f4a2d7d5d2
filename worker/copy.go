package worker

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"time"

	"github.com/signmill/signmill/queue"
)

// The application properties of a job that was given back for later. Anybody
// who may send jobs can set them, so that they are believed within bounds: at
// least one attempt is left, and no job is younger than its message.
const (
	PropertyAttempts      = "signmill-attempts"       // attempts made so far; an integer
	PropertyFirstEnqueued = "signmill-first-enqueued" // broker time at which the job first came; a time
)

// past is what happened to a job before this delivery of it.
type past struct {
	attempts int       // with other messages
	first    time.Time // broker time at which it came; zero: not known
}

// pastOf reads what a message says of its past, for a job that may have so many
// attempts.
func pastOf(d *queue.Delivery, most int) past {
	p := past{first: d.EnqueuedAt}
	if n, ok := d.Properties[PropertyAttempts].(int64); ok {
		p.attempts = int(min(max(n, 0), int64(most-1)))
	}
	if first, ok := d.Properties[PropertyFirstEnqueued].(time.Time); ok && first.Before(p.first) {
		p.first = first
	}
	return p
}

// copyOf returns the message that takes the place of d, and comes after wait.
// Now is the broker's. It has an id of its own, because duplicate detection
// would drop it under that of d, and the same whenever d is copied. Its reply
// goes where that to d would go, under the correlation of d; it expires when d
// would.
func copyOf(d *queue.Delivery, p past, now time.Time, wait time.Duration) queue.Message {
	m := d.Message
	m.Queue = ""
	m.ID = copyID(d, p.attempts)
	m.CorrelationID = correlationID(d.Message)
	m.Properties = maps.Clone(d.Properties)
	if m.Properties == nil {
		m.Properties = map[string]any{}
	}
	m.Properties[PropertyAttempts] = int64(p.attempts)
	if !p.first.IsZero() {
		m.Properties[PropertyFirstEnqueued] = p.first
	}
	m.ScheduledAt = time.Time{}
	if wait > 0 {
		m.ScheduledAt = now.Add(wait)
	}
	if !d.ExpiresAt.IsZero() {
		m.TimeToLive = max(d.ExpiresAt.Sub(now.Add(wait)), time.Second)
	}
	return m
}

// copyID is unique to d, which others cannot foretell: it depends on what is in
// the message and on its number in the queue. It tells people of the attempts.
func copyID(d *queue.Delivery, attempts int) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %d %s", d.SequenceNumber, len(d.ID), d.ID)
	h.Write(d.Body)
	return fmt.Sprintf("again-%s-%d", base64.RawURLEncoding.EncodeToString(h.Sum(nil)), attempts)
}
