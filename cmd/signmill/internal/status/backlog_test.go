package status

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/worker"
)

// shelf is a queue of which the numbers of the messages are known, in order.
type shelf struct {
	numbers []int64
	later   bool  // all of them are scheduled
	err     error // what it answers
	asked   int
}

// Browse implements queue.Browser.
func (s *shelf) Browse(_ context.Context, from int64, limit int) (seen []queue.Browsed, err error) {
	s.asked++
	i, _ := slices.BinarySearch(s.numbers, from)
	for _, n := range s.numbers[i:min(i+limit, len(s.numbers))] {
		m := queue.Browsed{Receipt: queue.Receipt{SequenceNumber: n}}
		if s.later {
			m.ScheduledAt = time.Now().Add(time.Minute)
		}
		seen = append(seen, m)
	}
	return seen, s.err
}

// Warm implements Browser.
func (s *shelf) Warm(context.Context) error { return s.err }

// upTo returns the numbers from first to last.
func upTo(first, last int64) (numbers []int64) {
	for n := first; n <= last; n++ {
		numbers = append(numbers, n)
	}
	return numbers
}

// TestNewest: the search finds the highest number, with gaps or without, and
// asks a few dozen times at most.
func TestNewest(t *testing.T) {
	t.Parallel()
	source := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		s := &shelf{numbers: upTo(1, source.Int64N(100_000)+1)}
		if i%2 == 0 {
			s.numbers = slices.DeleteFunc(s.numbers, func(int64) bool { return source.IntN(3) == 0 })
		}
		if len(s.numbers) == 0 {
			continue
		}
		from, last := s.numbers[source.IntN(len(s.numbers))], s.numbers[len(s.numbers)-1]
		got, err := newest(t.Context(), s, from)
		if got != last || err != nil || s.asked > 40 {
			t.Fatalf("got %d, %v after %d questions, want %d", got, err, s.asked, last)
		}
	}
}

// TestLook: what waits is what came after the newest that was handed out.
func TestLook(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		shelf shelf
		state worker.QueueState
		want  int64
		err   error
	}{
		{"empty", shelf{}, worker.QueueState{Latest: 7}, 0, nil},
		{"all handed out", shelf{numbers: upTo(3, 7)}, worker.QueueState{Latest: 7}, 0, nil},
		{"some wait", shelf{numbers: upTo(3, 17)}, worker.QueueState{Latest: 7}, 10, nil},
		{"others were faster", shelf{numbers: upTo(12, 17)}, worker.QueueState{Latest: 7}, 6, nil},
		{"none was taken yet", shelf{numbers: upTo(100, 149)}, worker.QueueState{}, 50, nil},
		{"the rest is with others", shelf{numbers: upTo(3, 17)}, worker.QueueState{Latest: 7, Asking: time.Minute}, 0, nil},
		{"a call has just begun", shelf{numbers: upTo(3, 17)}, worker.QueueState{Latest: 7, Asking: time.Second}, 10, nil},
		{"put off", shelf{numbers: upTo(8, 9), later: true}, worker.QueueState{Latest: 7, Asking: time.Minute}, 2, nil},
		{"partitions", shelf{numbers: []int64{3 << 48}}, worker.QueueState{}, 0, errPartitioned},
		{"refused", shelf{err: queue.ErrUnauthorized}, worker.QueueState{}, 0, queue.ErrUnauthorized},
	}
	for _, tt := range tests {
		l := &lookout{Queue: Queue{Browser: &tt.shelf}, state: func() worker.QueueState { return tt.state }}
		seen, err := l.look(t.Context())
		if got := seen.jobs(tt.state.Latest); got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: got %d, %v, want %d, %v", tt.name, got, err, tt.want, tt.err)
		}
	}
}

// TestGlance: any answer of the broker is a sign that it is there, and what is
// not known is told with its reason.
func TestGlance(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err  error
		up   bool
		says string
	}{
		{queue.ErrUnauthorized, true, `the identity lacks the role "Azure Service Bus Data Receiver" on the queue`},
		{queue.ErrNotFound, true, "there is no such queue, or it is disabled"},
		{context.DeadlineExceeded, false, "the broker does not answer"},
		{errors.New("reset by peer"), false, "the broker does not tell: reset by peer"},
		{errPartitioned, false, errPartitioned.Error()},
	}
	for _, tt := range tests {
		l := &lookout{Queue: Queue{Browser: &shelf{err: fmt.Errorf("%w", tt.err)}}, state: func() worker.QueueState { return worker.QueueState{} }}
		l.glance(t.Context())
		if got := estimate(l.seen(), l.state(), 1, 1); l.up.IsZero() == tt.up || got.Known || got.Why != tt.says {
			t.Errorf("%v: got %+v, up at %v, want %t and %q", tt.err, got, l.up, tt.up, tt.says)
		}
	}
}
