package exchange

import (
	"sync"
	"time"
)

// flight knows the jobs that are submitted and not yet answered, and keeps an M
// of each.
type flight[M any] struct {
	window chan struct{} // one token for each job; its capacity bounds them
	idle   chan struct{} // closed by land or close when nothing is under way and nothing will be

	mu     sync.Mutex // guards the fields below
	jobs   map[string]*flying[M]
	closed bool
	heard  time.Time // when a job was last submitted or answered
}

// flying is a job under way.
type flying[M any] struct {
	kept  M
	taken bool // its reply is being handled
}

func newFlight[M any](window int) *flight[M] {
	return &flight[M]{
		window: make(chan struct{}, window),
		idle:   make(chan struct{}),
		jobs:   map[string]*flying[M]{},
		heard:  time.Now(),
	}
}

// start notes a job; the caller has put a token into window.
func (f *flight[M]) start(id string, kept M) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.jobs[id] = &flying[M]{kept: kept}
	f.heard = time.Now()
}

// take returns what was kept of a job to the one that handles its reply. Known
// is false when no such job is under way.
func (f *flight[M]) take(id string) (kept M, known bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	job := f.jobs[id]
	if job == nil || job.taken {
		return kept, false
	}
	job.taken = true
	f.heard = time.Now()
	return job.kept, true
}

// land ends a job that was taken.
func (f *flight[M]) land(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.jobs, id)
	<-f.window
	f.settle()
}

// close says that no more jobs will start.
func (f *flight[M]) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.settle()
}

// settle closes idle at the end. The caller holds mu, and calls it only when
// something has just ended.
func (f *flight[M]) settle() {
	if f.closed && len(f.jobs) == 0 {
		close(f.idle)
	}
}

// silence returns how long nothing was heard, and how many jobs wait.
func (f *flight[M]) silence() (since time.Duration, waiting int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Since(f.heard), len(f.jobs)
}
