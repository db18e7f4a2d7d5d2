package worker

import (
	"errors"
	"time"

	"github.com/signmill/signmill/queue"
)

// patience is how long the job queue may refuse us before Run ends. Rights
// that are being changed, a token service that is down and a queue that is
// disabled for a while are over by then, or need people.
const patience = 5 * time.Minute

// aWhile is longer than a call to a queue that refuses us lasts, with the
// receiver's own pause before it.
const aWhile = time.Minute

// refusals is a row of refusals by the job queue. Zero is no row. The
// goroutine that takes in owns it.
type refusals struct{ since time.Time }

// bear reports whether err, which a call returned after lasted, is a refusal
// that may still pass. A call that lasted for a while was waiting on a queue
// that did not refuse us, so that a new row begins.
func (r *refusals) bear(err error, lasted time.Duration) bool {
	if !errors.Is(err, queue.ErrUnauthorized) && !errors.Is(err, queue.ErrNotFound) {
		return false
	}
	if r.since.IsZero() || lasted > aWhile {
		r.since = time.Now()
	}
	return time.Since(r.since) < patience
}
