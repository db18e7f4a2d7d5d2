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
	sender queue.Sender
	lanes  chan struct{} // one token for each send under way

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

// send returns when m was accepted or refused. When ctx ends first the
// outcome is unknown.
func (o *outbox) send(ctx context.Context, m queue.Message) error {
	l := &letter{message: m, sent: make(chan error, 1)}
	o.mu.Lock()
	o.waiting = append(o.waiting, l)
	o.mu.Unlock()
	for o.holds(l) {
		select {
		case err := <-l.sent: // another one took it along
			return err
		case o.lanes <- struct{}{}:
			o.carry(ctx) // perhaps others only, when there is more than one batch
			<-o.lanes
		case <-ctx.Done():
			if o.withdraw(l) {
				return ctx.Err()
			}
		}
	}
	return <-l.sent // it is on its way, and a carrier's time is bounded
}

// holds reports whether l waits for a carrier.
func (o *outbox) holds(l *letter) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Contains(o.waiting, l)
}

// carry sends what is waiting. When a batch fails each of its replies is sent
// alone, so that none fails because of another. The time that its caller has
// left does not count, because the others' replies are not to fail for it.
func (o *outbox) carry(ctx context.Context) {
	letters := o.takeWaiting()
	if len(letters) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	messages := make([]queue.Message, len(letters))
	for i, l := range letters {
		messages[i] = l.message
	}
	err := o.sender.Send(ctx, messages...)
	for _, l := range letters {
		if err != nil && len(letters) > 1 {
			l.sent <- o.sender.Send(ctx, l.message)
			continue
		}
		l.sent <- err
	}
}

func (o *outbox) takeWaiting() []*letter {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := min(len(o.waiting), outboxBatch)
	taken := slices.Clone(o.waiting[:n])
	o.waiting = slices.Delete(o.waiting, 0, n)
	return taken
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
