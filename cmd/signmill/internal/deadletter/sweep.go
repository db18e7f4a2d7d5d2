package deadletter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signmill/signmill/queue"
)

// Sweep acts on the dead letters that were counted, and on no other. There is
// no way to take a message by its number, so it receives from the front on. It
// asks for no more than are left to do; what comes and does not match is held
// aside, and nothing behind the last match is touched. It ends when it has
// seen that nothing is left.
//
// It may be ended at any time and begun again, and others may do the same at
// the same time. All fields up to Told are required, but for the Filter.
type Sweep struct {
	From   queue.Receiver         // of the dead letters
	Look   queue.Browser          // at the same queue
	Filter Filter                 // its Limit does not count: Last stands for it
	Total  int                    // that were counted
	Last   int64                  // the highest sequence number of these
	Act    Act                    // on each of them
	Wait   time.Duration          // for what others hold, without progress
	Told   func(done, failed int) // is told how many more are over

	Done   int             // so far
	Failed map[int64]error // by sequence number; what is in here is held aside

	aside *aside
	most  int // held aside; 0: maxAside
}

// sweepBatch is how many dead letters are acted on at once.
const sweepBatch = 64

// lull is how long a receive waits before what is left is counted.
const lull = 2 * time.Second

// errHeld means that others hold what is left.
var errHeld = errors.New("others hold the rest; try again later")

// Run acts until nothing is left, soft ends, or an error; that is the context's
// when soft ended it. Either way all that was received is settled or given back,
// unless hard ends. It is called once.
func (s *Sweep) Run(soft, hard context.Context) (err error) {
	s.aside = newAside(hard, cmp.Or(s.most, maxAside))
	s.Failed, s.Filter.Limit = map[int64]error{}, 0
	defer s.aside.giveBack(hard)
	left, moved := s.Total, time.Now()
	for {
		batch, err := s.receive(soft, min(max(left, 1), sweepBatch))
		if err != nil {
			return err
		}
		todo, err := s.sort(batch)
		if err != nil {
			return err
		}
		n, err := s.perform(soft, hard, todo)
		if err != nil || soft.Err() != nil {
			return errors.Join(err, soft.Err())
		}
		if left -= n; n > 0 {
			moved = time.Now()
		}
		if left > 0 && len(batch) > 0 {
			continue
		}
		if left, err = s.left(soft); err != nil || left == 0 {
			return err
		}
		if time.Since(moved) > s.Wait {
			return fmt.Errorf("%d are left: %w", left, errHeld)
		}
	}
}

// receive returns what comes within a lull, perhaps nothing. What came although
// soft has ended is given back.
func (s *Sweep) receive(soft context.Context, limit int) ([]*queue.Delivery, error) {
	ctx, cancel := context.WithTimeout(soft, lull)
	defer cancel()
	batch, err := s.From.Receive(ctx, limit)
	if err != nil && soft.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return batch, err
}

// sort holds aside what is not to be acted on; after an error, all.
func (s *Sweep) sort(batch []*queue.Delivery) (todo []*queue.Delivery, err error) {
	for _, d := range batch {
		if s.meant(New(d.Message, d.Receipt)) {
			todo = append(todo, d)
			continue
		}
		err = errors.Join(err, s.aside.add(d))
	}
	if err != nil {
		return nil, errors.Join(err, s.aside.add(todo...))
	}
	return todo, nil
}

// meant reports whether l is one of those that were counted and have not failed.
func (s *Sweep) meant(l Letter) bool {
	return l.SequenceNumber <= s.Last && s.Failed[l.SequenceNumber] == nil && s.Filter.Takes(l)
}

// perform acts on a batch and returns for how many that is over. When soft has
// ended, it holds them aside.
func (s *Sweep) perform(soft, hard context.Context, todo []*queue.Delivery) (over int, err error) {
	if len(todo) == 0 || soft.Err() != nil {
		return 0, s.aside.add(todo...)
	}
	for i, failure := range s.Act(hard, todo) {
		switch {
		case failure == nil:
			s.Done++
			over++
			s.Told(1, 0)
		case errors.Is(failure, queue.ErrLockLost): // it is gone, or comes again
		case errors.Is(failure, errOfMessage):
			s.Failed[todo[i].SequenceNumber] = failure
			s.Told(0, 1)
			over++
			err = errors.Join(err, s.aside.add(todo[i]))
		default:
			err = cmp.Or(err, failure) // one stands for all
			_ = s.aside.add(todo[i])   // it ends anyway
		}
	}
	return over, err
}

// errOfMessage marks a failure that is one message's own: the others go on.
var errOfMessage = errors.New("this message")

// left counts what is still to be acted on.
func (s *Sweep) left(ctx context.Context) (n int, err error) {
	for m, err := range Scan(ctx, s.Look, s.Filter) {
		switch {
		case err != nil:
			return 0, err
		case m.SequenceNumber > s.Last:
			return n, nil
		case s.Failed[m.SequenceNumber] == nil:
			n++
		}
	}
	return n, nil
}
