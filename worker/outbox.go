package worker

import (
	"context"
	"slices"
	"sync"

	"github.com/signmill/signmill/queue"
)

// outbox sends replies to one queue. While few sends are under way a reply
// goes out at once and alone; replies that come when all lanes are busy wait
// for the next free lane and leave together, so that a busy worker sends in
// batches and an idle one loses no time.
type outbox struct {
	sender  queue.Sender
	lanes   chan struct{} // one token for each send under way
	trouble trouble

	mu      sync.Mutex // guards waiting
	waiting []*letter
}

// letter is one reply on its way. Sent gets the outcome once.
type letter struct {
	message queue.Message
	sent    chan error
}

const (
	outboxLanes = 4  // sends under way at once
	outboxBatch = 64 // replies that leave together
)

func newOutbox(s queue.Sender) *outbox {
	return &outbox{sender: s, lanes: make(chan struct{}, outboxLanes)}
}

// send returns when m was accepted or refused. A reply waits for settleTimeout
// at most, and is on its way for as long again. After that, and when ctx ends,
// the outcome is unknown. Since a send may carry the replies of other jobs,
// ctx is the worker's and not the job's.
func (o *outbox) send(ctx context.Context, m queue.Message) error {
	l := o.enter(m)
	wait, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	for o.holds(l) && wait.Err() == nil {
		select {
		case err := <-l.sent: // another one took it along
			return err
		case <-wait.Done():
		case o.lanes <- struct{}{}:
			o.carry(ctx, o.takeBatch(l)) // perhaps others only, when there is more than one batch
			<-o.lanes
		}
	}
	if o.withdraw(l) {
		return wait.Err()
	}
	return <-l.sent // it is on its way, and a carrier's time is bounded
}

// enter puts a reply behind those that wait.
func (o *outbox) enter(m queue.Message) *letter {
	l := &letter{message: m, sent: make(chan error, 1)}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = append(o.waiting, l)
	return l
}

// holds reports whether l waits for a carrier.
func (o *outbox) holds(l *letter) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Contains(o.waiting, l)
}

// takeBatch returns the replies that have waited longest, or none when l waits
// no more: then its sender has an outcome to see to, and each of the others
// has a sender of its own.
func (o *outbox) takeBatch(l *letter) []*letter {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Contains(o.waiting, l) {
		return nil
	}
	n := min(len(o.waiting), outboxBatch)
	taken := slices.Clone(o.waiting[:n])
	o.waiting = slices.Delete(o.waiting, 0, n)
	return taken
}

// carry sends letters. When the broker refuses a batch each of its replies is
// sent alone, so that none fails because of another.
func (o *outbox) carry(ctx context.Context, letters []*letter) {
	if len(letters) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	messages := make([]queue.Message, len(letters))
	for i, l := range letters {
		messages[i] = l.message
	}
	err := o.sender.Send(ctx, messages...)
	alone := err != nil && len(letters) > 1
	for _, l := range letters {
		if alone && ctx.Err() == nil {
			l.sent <- o.sender.Send(ctx, l.message)
			continue
		}
		l.sent <- err
	}
}

// withdraw takes l back and reports whether it was still waiting.
func (o *outbox) withdraw(l *letter) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.Index(o.waiting, l)
	if i < 0 {
		return false
	}
	o.waiting = slices.Delete(o.waiting, i, i+1)
	return true
}
