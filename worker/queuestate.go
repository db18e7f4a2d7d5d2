package worker

import (
	"maps"
	"sync"
	"time"

	"github.com/signmill/signmill/queue"
)

// QueueState is what a Worker knows of one of its job queues.
type QueueState struct {
	Lane     string        // name of the lane; "": Config.Jobs
	Held     int           // deliveries now whose items are not all done
	Items    int64         // that have an outcome
	JobItems float64       // items of a job, as seen lately; zero: none was seen yet
	PutOff   int           // copies that this worker sent and that are not due yet
	Refused  error         // why the queue refused the last call; nil: it did not
	Latest   int64         // the highest sequence number of a delivery; zero: there was none
	Waited   time.Duration // of that delivery on the queue, by the clocks of both
	Asking   time.Duration // since a call asked for jobs that has got none yet; zero: no call waits
}

// inlet is what the intake sees of a job queue. The zero value is ready.
type inlet struct {
	mu    sync.Mutex    // guards the fields below
	seen  QueueState    // only what the intake knows
	asked time.Time     // when the call began that waits; zero: none does
	later map[int64]int // copies, by the second in which they are due
}

// asks notes that a call begins.
func (i *inlet) asks(now time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked = now
}

// got notes what it came back with.
func (i *inlet) got(deliveries []*queue.Delivery, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked, i.seen.Refused = time.Time{}, err
	for _, d := range deliveries {
		if d.SequenceNumber >= i.seen.Latest {
			i.seen.Latest, i.seen.Waited = d.SequenceNumber, max(0, time.Since(d.EnqueuedAt))
		}
	}
}

// putOff notes a copy that comes later.
func (i *inlet) putOff(now time.Time, wait time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.forget(now)
	if i.later == nil {
		i.later = map[int64]int{}
	}
	i.later[now.Add(wait).Unix()]++
}

// forget drops what is due, so that there are no more entries than the longest
// pause has seconds.
func (i *inlet) forget(now time.Time) {
	maps.DeleteFunc(i.later, func(due int64, _ int) bool { return due <= now.Unix() })
}

// state returns what is known of s. A call that waits for a while is one that the
// queue has not refused.
func (s *source) state() QueueState {
	s.inlet.mu.Lock()
	s.inlet.forget(time.Now())
	q := s.inlet.seen
	for _, n := range s.inlet.later {
		q.PutOff += n
	}
	if !s.inlet.asked.IsZero() {
		q.Asking = time.Since(s.inlet.asked)
	}
	s.inlet.mu.Unlock()
	if q.Asking > aWhile {
		q.Refused = nil
	}
	q.Lane = s.name
	s.load.mu.Lock()
	defer s.load.mu.Unlock()
	q.Held, q.Items, q.JobItems = len(s.load.held), s.load.done, s.load.mean
	return q
}
