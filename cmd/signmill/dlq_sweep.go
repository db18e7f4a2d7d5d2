package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signmill/signmill/queue"
)

// sweep acts on the dead letters that were counted, and on no other. There is
// no way to take a message by its number, so it receives from the front on. It
// asks for no more than are left to do; what comes and does not match is held
// aside, and nothing behind the last match is touched. It ends when it has
// seen that nothing is left.
//
// It may be ended at any time and begun again, and others may do the same at
// the same time: act must be such that it may be done twice.
type sweep struct {
	from   queue.Receiver
	look   queue.Browser
	filter letterFilter
	counted
	act  func(ctx context.Context, batch []*queue.Delivery) []error // ends each; one error for each
	wait time.Duration                                              // for what others hold
	told func(done, failed int)                                     // how many more
	most int                                                        // held aside

	aside  *aside
	done   int
	failed map[int64]error // by sequence number; what is in here is held aside
}

// counted is what was told before.
type counted struct {
	total int
	last  int64 // the highest sequence number
}

// sweepBatch is how many dead letters are acted on at once.
const sweepBatch = 64

// lull is how long a receive waits before what is left is counted.
const lull = 2 * time.Second

// errHeld means that others hold what is left.
var errHeld = errors.New("others hold the rest; try again later")

// run acts until nothing is left, soft ends, or an error. Either way all that
// was received is settled or given back, unless hard ends.
func (s *sweep) run(soft, hard context.Context) (err error) {
	s.aside = newAside(hard, s.most)
	s.failed = map[int64]error{}
	defer s.aside.giveBack(hard)
	left, moved := s.total, time.Now()
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
		if time.Since(moved) > s.wait {
			return fmt.Errorf("%d are left: %w", left, errHeld)
		}
	}
}

// receive returns what comes within a lull, perhaps nothing. What came although
// soft has ended is given back.
func (s *sweep) receive(soft context.Context, limit int) ([]*queue.Delivery, error) {
	ctx, cancel := context.WithTimeout(soft, lull)
	defer cancel()
	batch, err := s.from.Receive(ctx, limit)
	if err != nil && soft.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return batch, err
}

// sort holds aside what is not to be acted on; after an error, all.
func (s *sweep) sort(batch []*queue.Delivery) (todo []*queue.Delivery, err error) {
	for _, d := range batch {
		if s.meant(newLetter(d.Message, d.Receipt)) {
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
func (s *sweep) meant(l letter) bool {
	return l.SequenceNumber <= s.last && s.failed[l.SequenceNumber] == nil && s.filter.takes(l)
}

// perform acts on a batch and returns for how many that is over. When soft has
// ended, it holds them aside.
func (s *sweep) perform(soft, hard context.Context, todo []*queue.Delivery) (over int, err error) {
	if len(todo) == 0 || soft.Err() != nil {
		return 0, s.aside.add(todo...)
	}
	for i, failure := range s.act(hard, todo) {
		switch {
		case failure == nil:
			s.done++
			over++
			s.told(1, 0)
		case errors.Is(failure, queue.ErrLockLost): // it is gone, or comes again
		case errors.Is(failure, errOfMessage):
			s.failed[todo[i].SequenceNumber] = failure
			s.told(0, 1)
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
func (s *sweep) left(ctx context.Context) (n int, err error) {
	for m, err := range scan(ctx, s.look, s.filter, 0) {
		switch {
		case err != nil:
			return 0, err
		case m.SequenceNumber > s.last:
			return n, nil
		case s.failed[m.SequenceNumber] == nil:
			n++
		}
	}
	return n, nil
}
