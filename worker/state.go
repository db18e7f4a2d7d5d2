package worker

import (
	"slices"
	"sync"
	"time"

	"github.com/signmill/signmill/queue"
)

// State is a snapshot of a Worker. Counts are since New.
type State struct {
	Held      int           // deliveries now
	Silent    time.Duration // since the last step of the one that has made none for the longest; zero when there is none. Waiting for a reply queue does not count
	Places    int           // items with the signer now
	Items     int64         // that have an outcome
	Answered  int64         // jobs
	GivenBack int64         // deliveries, those too whose lock was lost
	Dead      int64         // jobs dead-lettered here
	Failures  []Failure     // the last ones, the newest first; at most 10
	Queues    []QueueState  // that of Config.Jobs, and those of the lanes in their order
}

// Failure is a delivery that did not end with an answer.
type Failure struct {
	At        time.Time
	MessageID string
	Kind      string // a code of schema's, or a word for a failure of the broker
}

// State returns a snapshot.
func (w *Worker) State() State {
	s := w.observer.tally.state()
	s.Places = w.places.used()
	for _, from := range w.sources {
		q := from.state()
		s.Items += q.Items
		s.Queues = append(s.Queues, q)
	}
	return s
}

const failuresKept = 10

// tally counts for State. The zero value is ready.
type tally struct {
	mu    sync.Mutex // guards the fields below
	count State
	held  map[*heldDelivery]time.Time // of the last step; zero: it waits for its reply queue
}

func (t *tally) state() State {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.count
	s.Failures, s.Held = slices.Clone(s.Failures), len(t.held)
	for _, last := range t.held {
		if !last.IsZero() {
			s.Silent = max(s.Silent, time.Since(last))
		}
	}
	return s
}

// heldFrom returns how many of the deliveries held came from s.
func (t *tally) heldFrom(s *source) (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for d := range t.held {
		if d.from == s {
			n++
		}
	}
	return n
}

func (t *tally) begin(d *heldDelivery) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held == nil {
		t.held = map[*heldDelivery]time.Time{}
	}
	t.held[d] = time.Now()
}

// step notes that d has come further.
func (t *tally) step(d *heldDelivery) { t.note(d, time.Now()) }

// waits notes that d waits for its reply queue, until its next step.
func (t *tally) waits(d *heldDelivery) { t.note(d, time.Time{}) }

func (t *tally) note(d *heldDelivery, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, held := t.held[d]; held {
		t.held[d] = at
	}
}

func (t *tally) end(d *heldDelivery) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.held, d)
}

// concluded counts a delivery that failed with kind, or was answered where that
// is "".
func (t *tally) concluded(d *heldDelivery, v verdict, kind string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case kind == "":
		t.count.Answered++
		return
	case v.outcome == queue.DeadLetter && kind == string(v.reason):
		t.count.Dead++
	default:
		t.count.GivenBack++
	}
	t.count.Failures = slices.Insert(t.count.Failures, 0, Failure{time.Now(), d.ID, kind})
	t.count.Failures = t.count.Failures[:min(len(t.count.Failures), failuresKept)]
}
