package history

import (
	"crypto"
	"sync"
	"time"

	"github.com/signmill/signmill/schema"
)

// Config says how a History judges.
type Config struct {
	// Key returns the public key of a kid that a result names; required. It is
	// asked once for each kid that it knows.
	Key func(kid string) (crypto.PublicKey, error)

	// EndsOnce is for programmes in which attempts never run out: no job may
	// have both a result and a dead letter. Where they do, a worker may use up
	// the last one without knowing that a reply of an earlier one had arrived.
	EndsOnce bool

	// Window is the duplicate window of the reply queue. Zero: it never ends.
	Window time.Duration
}

// History is what happened to some jobs. Jobs go by their id, which is also the
// MessageID of their request.
type History struct {
	config Config

	mu         sync.Mutex // guards all below
	jobs       map[string]*past
	keys       map[string]crypto.PublicKey // by kid
	signatures int                         // that the vault made
	unasked    int                         // operations of the vault that were not answered to the worker
	observed   bool                        // deliveries are noted
	faults     []string
}

// past is what happened to one job.
type past struct {
	job       schema.Job
	attempted bool
	accepted  bool
	delivered int                 // times
	copies    map[int64]struct{}  // sequence numbers under which it was delivered
	published map[string]struct{} // items with a signature in a result
	results   []time.Time
	notices   int
	dead      int
	waiting   bool
}

// New returns an empty history.
func New(c Config) *History {
	return &History{config: c, jobs: map[string]*past{}, keys: map[string]crypto.PublicKey{}}
}

// of returns the past of a job. The caller holds mu.
func (h *History) of(id string) *past {
	p := h.jobs[id]
	if p == nil {
		p = &past{}
		h.jobs[id] = p
	}
	return p
}

// Attempt notes a job that is about to be sent. A job without items stands for
// a message that is no job.
func (h *History) Attempt(job schema.Job) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.of(job.ID)
	p.job, p.attempted = job, true
}

// Accept notes that the broker confirmed a job.
func (h *History) Accept(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.of(id).accepted = true
}

// Deliver notes that a worker received the message of a job. Once one delivery
// was noted, all must be.
func (h *History) Deliver(id string, sequence int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.of(id)
	if p.copies == nil {
		p.copies = map[int64]struct{}{}
	}
	p.copies[sequence] = struct{}{}
	p.delivered++
	h.observed = true
}

// Wait notes that the message of a job is still on the job queue in the end.
func (h *History) Wait(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.of(id).waiting = true
}

// Sign notes signatures that the vault made, and how many of its answers went
// astray, each of which may have been asked for again.
func (h *History) Sign(signatures, astray int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.signatures += signatures
	h.unasked += astray
}

// Ended returns how many of the attempted jobs have a result or a dead letter.
func (h *History) Ended() (ended, attempted int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.jobs {
		if !p.attempted {
			continue
		}
		attempted++
		if len(p.results)+p.dead > 0 {
			ended++
		}
	}
	return ended, attempted
}
