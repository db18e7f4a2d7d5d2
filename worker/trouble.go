package worker

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/signmill/signmill/queue"
)

// trouble is what the worker knows of a reply queue that takes nothing: it is
// full, disabled or gone, or its broker does not answer. Meanwhile results are
// kept, locks too, and nothing is signed that could not be sent.
type trouble struct {
	recovered chan<- struct{} // tells the intake that it is over; capacity 1

	mu       sync.Mutex    // guards the fields below
	over     chan struct{} // closed when the queue takes something again; nil: it does
	last     time.Time     // failure
	accepted int           // replies
}

// doubt is how long after its last failure a queue counts as in trouble, though
// nobody tries. It is more than two tries and the pause between them last.
const doubt = 2 * time.Minute

// worked takes in that the queue accepted a reply.
func (t *trouble) worked() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.accepted++
	if t.over != nil {
		close(t.over)
		t.over = nil
		select {
		case t.recovered <- struct{}{}:
		default:
		}
	}
}

// failed takes in that it took nothing.
func (t *trouble) failed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = time.Now()
	if t.over == nil {
		t.over = make(chan struct{})
	}
}

// state returns a channel that is closed when the trouble is over, nil when there
// is none, and how long it may last if nobody tries.
func (t *trouble) state() (over <-chan struct{}, left time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	left = doubt - time.Since(t.last)
	if t.over == nil || left <= 0 {
		return nil, 0
	}
	return t.over, left
}

func (t *trouble) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.accepted
}

// await waits until the queue takes replies, or one of the contexts or stop ends
// it. It reports whether the queue does.
func (t *trouble) await(ctx context.Context, stop <-chan struct{}) bool {
	for {
		over, left := t.state()
		if over == nil {
			return true
		}
		timer := time.NewTimer(left)
		select {
		case <-over:
		case <-timer.C:
		case <-stop:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil || closed(stop) {
			return false
		}
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// warmer is a sender that can tell whether its queue is open to us.
type warmer interface{ Warm(context.Context) error }

// suffers reports whether a reply was not sent because of the queue and not
// because of what it is. A queue with sessions does not allow a reply without
// one, which looks like a lack of rights; then the queue itself is open to us.
func (o *outbox) suffers(ctx context.Context, err error) bool {
	if errors.Is(err, queue.ErrTooLarge) {
		return false
	}
	if sender, ok := o.sender.(warmer); ok && errors.Is(err, queue.ErrUnauthorized) {
		return sender.Warm(ctx) != nil
	}
	return !errors.Is(err, queue.ErrUnauthorized)
}

// The pauses between two tries to send a reply, and how often one reply is tried
// while the queue takes others.
const (
	resendSoonest = time.Second
	resendLatest  = 15 * time.Second
	resendAlone   = 3
)

// insistence says how insist ends.
type insistence struct {
	tooLate time.Time // zero: never
	leave   func()    // is told that a reply has to wait, perhaps more than once
}

// insist calls send, which sends a reply on last. While the queue takes nothing it
// tries again, until held ends or too late has come. What waits takes no place from
// jobs for other queues; there is not much, because nothing more is signed.
func (o *outbox) insist(held, last context.Context, send func() error, i insistence) error {
	accepted := o.trouble.count()
	for try := 1; ; try++ {
		err := send()
		if err == nil {
			o.trouble.worked()
			return nil
		}
		alone := try >= resendAlone && o.trouble.count() > accepted
		if alone || held.Err() != nil || !i.tooLate.IsZero() && time.Now().After(i.tooLate) || !o.suffers(last, err) {
			return err
		}
		o.trouble.failed()
		i.leave()
		over, _ := o.trouble.state()
		pause := min(resendSoonest<<min(try-1, 10), resendLatest)
		rest(held, over, pause/2+rand.N(pause/2))
		if held.Err() != nil {
			return err
		}
	}
}

// errUnsendable means that a job was not begun because its reply queue is in
// trouble.
var errUnsendable = errors.New("the reply queue takes nothing")

// longestUnsendable is how long a job waits for its reply queue under the lock,
// and then as a copy.
const longestUnsendable = 30 * time.Second

// awaitReply waits until the reply queue of d may take a reply. Where jobs can
// be put off it waits for so long only.
func (w *Worker) awaitReply(ctx context.Context, d *heldDelivery) error {
	w.observer.tally.waits(d)
	defer w.observer.tally.step(d)
	if d.from.later != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, longestUnsendable)
		defer cancel()
	}
	switch {
	case d.outbox().trouble.await(ctx, d.draining):
		return nil
	case closed(d.draining):
		return errDrained
	}
	return errUnsendable
}

// awaitReplies waits while every reply queue is in trouble.
func (w *Worker) awaitReplies(ctx context.Context) {
	for ctx.Err() == nil {
		shortest := doubt
		for _, o := range w.routes.Load().outboxes {
			over, left := o.trouble.state()
			if over == nil {
				return
			}
			shortest = min(shortest, left)
		}
		rest(ctx, w.recovered, shortest)
	}
}
