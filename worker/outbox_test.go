package worker

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue"
)

// ledger is a Sender that notes what it was given, after delay.
type ledger struct {
	delay time.Duration

	mu   sync.Mutex // guards sent
	sent map[string]bool
}

func (l *ledger) Send(ctx context.Context, messages ...queue.Message) error {
	rest(ctx, nil, l.delay)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range messages {
		l.sent[m.ID] = ctx.Err() == nil
	}
	return ctx.Err()
}

func (*ledger) Close(context.Context) error { return nil }

// TestReplyBehindAFullBatchIsSent puts a letter behind more than one batch: the
// first lane that its sender gets takes others along and not itself.
func TestReplyBehindAFullBatchIsSent(t *testing.T) {
	l := &ledger{sent: map[string]bool{}}
	o := newOutbox(l)
	for i := range 3 * outboxBatch {
		o.waiting = append(o.waiting, &letter{message: queue.Message{ID: fmt.Sprint(i)}, sent: make(chan error, 1)})
	}
	if err := o.send(t.Context(), queue.Message{ID: "last"}); err != nil {
		t.Fatal(err)
	}
	if !l.sent["last"] {
		t.Error("send reports success for a reply that was not sent")
	}
}

// TestCarriersDeadlineIsItsOwn lets a sender that has hardly any time left
// carry the reply of one that has plenty.
func TestCarriersDeadlineIsItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{sent: map[string]bool{}, delay: 2 * time.Second}
		o := newOutbox(l)
		other := &letter{message: queue.Message{ID: "other"}, sent: make(chan error, 1)}
		o.waiting = append(o.waiting, other)
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = o.send(hasty, queue.Message{ID: "hasty"})
		if err := <-other.sent; err != nil {
			t.Errorf("the other's reply failed with %v", err)
		}
	})
}

// TestLetterOnItsWayDoesNotSpin frees a lane for a sender whose letter another
// one has taken along. It must wait for the outcome: in virtual time no second
// passes while anybody spins.
func TestLetterOnItsWayDoesNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{sent: map[string]bool{}, delay: time.Second}
		o := newOutbox(l)
		for range outboxLanes {
			o.lanes <- struct{}{}
		}
		var senders sync.WaitGroup
		for _, id := range []string{"carrier", "carried"} {
			senders.Go(func() {
				if err := o.send(t.Context(), queue.Message{ID: id}); err != nil {
					t.Errorf("send %s: %v", id, err)
				}
			})
		}
		for range 2 {
			synctest.Wait()
			<-o.lanes
		}
		senders.Wait()
		if !l.sent["carrier"] || !l.sent["carried"] {
			t.Errorf("sent %v, want both", l.sent)
		}
	})
}
