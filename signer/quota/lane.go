package quota

import (
	"container/heap"
	"time"
)

// waiter is one call that waits for its turn. The gate's lock guards it.
type waiter struct {
	cost      Units
	since     float64 // when it came
	notBefore float64 // of a retry
	retry     bool
	deadline  time.Time // zero: none
	lane      *lane
	job       *job
	next      *waiter
	prev      *waiter
	pass      Pass
	err       error
	ready     chan struct{} // closed when pass or err is set
}

// queue is a list of waiters, first come, first served.
type queue struct {
	first, last *waiter
	len         int
}

func (q *queue) push(w *waiter) {
	w.prev, w.next = q.last, nil
	if q.last != nil {
		q.last.next = w
	} else {
		q.first = w
	}
	q.last = w
	q.len++
}

func (q *queue) remove(w *waiter) {
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		q.first = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		q.last = w.prev
	}
	w.prev, w.next = nil, nil
	q.len--
}

// job is what waits for one job at one price. Its clock is the units that it
// has had; of those that wait, the job with the least goes first.
type job struct {
	key   jobKey
	queue queue
	units Units // of the queue
	clock float64
	order uint64 // of coming, between equal clocks
	index int    // in the lane's heap; -1 while nothing waits
}

type jobKey struct {
	name string
	cost Units
}

// lane lets its jobs take turns. Retries go before them all.
type lane struct {
	weight  float64 // part of the budget while all lanes have work; sums up to 1
	clock   float64 // units that it has had, divided by weight
	retries queue
	jobs    map[jobKey]*job // those that wait, and those whose clock is ahead
	waiting jobHeap
	now     float64 // clock of the job that went last
	len     int
}

func newLane(weight float64) *lane { return &lane{weight: weight, jobs: map[jobKey]*job{}} }

// add puts w at the end of its job, or, if it is a retry, of the retries.
func (l *lane) add(w *waiter, name string, order uint64) {
	key := jobKey{name, w.cost}
	j := l.jobs[key]
	if j == nil {
		j = &job{key: key, index: -1, clock: l.now}
		l.jobs[key] = j
	}
	w.lane, w.job = l, j
	l.len++
	if w.retry {
		l.retries.push(w)
		return
	}
	j.queue.push(w)
	j.units += w.cost
	if j.index < 0 {
		j.clock, j.order = max(j.clock, l.now), order
		heap.Push(&l.waiting, j)
	}
}

// remove takes w out, whether its turn came or it gave up.
func (l *lane) remove(w *waiter) {
	l.len--
	if w.retry {
		l.retries.remove(w)
		return
	}
	w.job.queue.remove(w)
	w.job.units -= w.cost
	if w.job.queue.len == 0 {
		heap.Remove(&l.waiting, w.job.index)
		l.forget()
	}
}

// forget drops jobs that wait for nothing and are not ahead of the others. The
// others are kept, or a job of one call at a time would always be the first.
func (l *lane) forget() {
	if len(l.jobs) < 2*len(l.waiting)+64 {
		return
	}
	for key, j := range l.jobs {
		if j.index < 0 && j.clock <= l.now {
			delete(l.jobs, key)
		}
	}
}

// next returns the waiter whose turn it is among those that cost no more than
// most, or nil.
func (l *lane) next(now float64, most Units) *waiter {
	for w := l.retries.first; w != nil; w = w.next {
		if w.notBefore <= now && w.cost <= most {
			return w
		}
	}
	if len(l.waiting) == 0 {
		return nil
	}
	best := l.waiting[0]
	if best.key.cost <= most {
		return best.queue.first
	}
	best = nil
	for _, j := range l.waiting {
		if j.key.cost <= most && (best == nil || j.before(best)) {
			best = j
		}
	}
	if best == nil {
		return nil
	}
	return best.queue.first
}

// charge moves the clocks for a call that goes.
func (l *lane) charge(w *waiter) {
	l.clock += float64(w.cost) / l.weight
	j := w.job
	if !w.retry {
		l.now = max(l.now, j.clock)
	}
	j.clock += float64(w.cost)
	if j.index >= 0 {
		heap.Fix(&l.waiting, j.index)
	}
}

func (j *job) before(other *job) bool {
	if j.clock != other.clock {
		return j.clock < other.clock
	}
	return j.order < other.order
}

// jobHeap has the job whose turn is next at its root.
type jobHeap []*job

// Len implements heap.Interface.
func (h jobHeap) Len() int { return len(h) }

// Less implements heap.Interface.
func (h jobHeap) Less(i, j int) bool { return h[i].before(h[j]) }

// Swap implements heap.Interface. Jobs know their places.
func (h jobHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements [heap.Interface].
func (h *jobHeap) Push(x any) {
	j := x.(*job)
	j.index = len(*h)
	*h = append(*h, j)
}

// Pop implements [heap.Interface].
func (h *jobHeap) Pop() any {
	last := len(*h) - 1
	j := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	j.index = -1
	return j
}
