package worker

import (
	"context"
	"errors"
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
		o := newOutbox(&ledger{sent: map[string]bool{}, delay: 2 * time.Second})
		free := o.busy()
		var hasty sync.WaitGroup
		hasty.Go(func() { _ = o.send(t.Context(), queue.Message{ID: "hasty"}) })
		<-time.After(settleTimeout - time.Second)
		other := o.enter(queue.Message{ID: "other"})
		free()
		if err := <-other.sent; err != nil {
			t.Errorf("the other's reply failed with %v", err)
		}
		hasty.Wait()
	})
}

// busy takes all lanes. The returned function frees one of them.
func (o *outbox) busy() (free func()) {
	for range outboxLanes {
		o.lanes <- struct{}{}
	}
	return func() { <-o.lanes }
}

// TestReplyIsWithdrawn ends the wait of a reply that no lane was free for. It
// must not be sent any more, because its job is given back.
func TestReplyIsWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{sent: map[string]bool{}}
		o := newOutbox(l)
		free := o.busy()
		if err := o.send(t.Context(), queue.Message{ID: "late"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the end of the wait", err)
		}
		free()
		if err := o.send(t.Context(), queue.Message{ID: "next"}); err != nil {
			t.Errorf("send next: %v", err)
		}
		if _, sent := l.sent["late"]; sent || !l.sent["next"] {
			t.Errorf("sent %v, want next only", l.sent)
		}
	})
}

// TestEndCutsEverySend ends the worker's context while one reply is on its way
// to a broker that does not answer, one travels with it and one waits.
func TestEndCutsEverySend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox(&ledger{sent: map[string]bool{}, delay: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		var senders sync.WaitGroup
		for i := range outboxLanes + 2*outboxBatch {
			senders.Go(func() {
				if err := o.send(ctx, queue.Message{ID: fmt.Sprint(i)}); err == nil {
					t.Errorf("send %d reports success", i)
				}
			})
		}
		senders.Wait()
		if took := time.Since(began); took != time.Second || len(o.waiting) != 0 {
			t.Errorf("sends took %v and %d wait, want the time of the context and none", took, len(o.waiting))
		}
	})
}

// TestCarryIsBounded sends to a broker that does not answer.
func TestCarryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox(&ledger{sent: map[string]bool{}, delay: time.Hour})
		began := time.Now()
		if err := o.send(t.Context(), queue.Message{ID: "m"}); err == nil {
			t.Error("send reports success")
		}
		if took := time.Since(began); took != settleTimeout {
			t.Errorf("send took %v, want %v", took, settleTimeout)
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
		free := o.busy()
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
			free()
		}
		senders.Wait()
		if !l.sent["carrier"] || !l.sent["carried"] {
			t.Errorf("sent %v, want both", l.sent)
		}
	})
}
