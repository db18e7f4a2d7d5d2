package servicebus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
)

// scene is a client whose connections can be cut, with n messages received.
type scene struct {
	*cutter
	client   *Client
	receiver *Receiver
	held     []*queue.Delivery
	again    []*queue.Delivery // what the receive loop got afterwards
	loop     sync.WaitGroup
}

// newScene sends n messages and receives them.
func newScene(t *testing.T, n int) *scene {
	t.Helper()
	return newSceneOn(t, startBus(t), n)
}

func newSceneOn(t *testing.T, b bus, n int) *scene {
	t.Helper()
	s := &scene{cutter: &cutter{under: b.dial}}
	s.client = newClient(t, s.dial)
	s.receiver = must(s.client.Receiver(plainQueue))
	sender := must(s.client.Sender(plainQueue))
	messages := make([]queue.Message, n)
	for i := range messages {
		messages[i] = queue.Message{ID: fmt.Sprintf("m-%03d", i)}
	}
	if err := sender.Send(t.Context(), messages...); err != nil {
		t.Fatal(err)
	}
	for len(s.held) < n {
		got, err := s.receiver.Receive(t.Context(), n-len(s.held))
		if err != nil {
			t.Fatal(err)
		}
		s.held = append(s.held, got...)
	}
	return s
}

// keepReceiving runs a receive loop until ctx ends and records what it gets.
func (s *scene) keepReceiving(ctx context.Context) {
	s.loop.Go(func() {
		for {
			got, err := s.receiver.Receive(ctx, 10)
			if err != nil {
				return
			}
			s.again = append(s.again, got...)
		}
	})
}

// settleAll settles all messages at once and returns how long that took.
func (s *scene) settleAll(t *testing.T, settle func(context.Context, *queue.Delivery) error) time.Duration {
	t.Helper()
	started := time.Now()
	var wg sync.WaitGroup
	for _, d := range s.held {
		wg.Go(func() {
			if err := settle(t.Context(), d); err != nil {
				t.Errorf("settle %q: got %v, want nil", d.ID, err)
			}
		})
	}
	wg.Wait()
	return time.Since(started)
}

func completeOne(ctx context.Context, d *queue.Delivery) error { return d.Complete(ctx) }

// TestSettleAfterReset cuts the connection between receipt and settlement. The
// client by itself needs up to 54 s for this, fails all of them and tears down
// the rebuilt connection up to four times.
func TestSettleAfterReset(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		n       int
		loop    bool          // a receive loop runs beside
		longest time.Duration // for all settlements
	}{
		{"one, receiving", 1, true, time.Second},
		{"ten, receiving", 10, true, time.Second},
		{"hundred, receiving", 100, true, time.Second},
		{"one, draining", 1, false, linkAttempt + time.Second},
		{"ten, draining", 10, false, linkAttempt + time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, test.n)
				ctx, cancel := context.WithCancel(t.Context())
				if test.loop {
					s.keepReceiving(ctx)
					synctest.Wait()
				}
				s.cut()
				took := s.settleAll(t, completeOne)
				t.Logf("settled %d in %v with %d connections", test.n, took, s.dials())
				if took > test.longest {
					t.Errorf("settlements: took %v, want at most %v", took, test.longest)
				}
				if got := s.dials(); got > 4 {
					t.Errorf("connections: got %d, want at most 4: no storm", got)
				}
				s.wantNoneAgain(ctx, t)
				cancel()
				s.loop.Wait()
			})
		})
	}
}

// wantNoneAgain waits until every lock would have expired, and requires that
// no message came a second time.
func (s *scene) wantNoneAgain(ctx context.Context, t *testing.T) {
	t.Helper()
	watch, cancel := context.WithTimeout(ctx, 2*lockDuration)
	defer cancel()
	other := must(newClient(t, s.under).Receiver(plainQueue))
	got, err := other.Receive(watch, 1)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("redeliveries: got %d and %v, want none", len(got), err)
	}
	synctest.Wait()
	if n := len(s.again); n > 0 {
		t.Errorf("redeliveries to the receive loop: got %d, want 0", n)
	}
}

// TestOtherOutcomesAfterReset checks that the way by lock token keeps what a
// settlement says.
func TestOtherOutcomesAfterReset(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 2)
		s.cut()
		if err := s.held[0].DeadLetter(t.Context(), "invalid-job", "no items"); err != nil {
			t.Errorf("dead-letter: got %v, want nil", err)
		}
		if err := s.held[1].Abandon(t.Context()); err != nil {
			t.Errorf("abandon: got %v, want nil", err)
		}
		dead := takeOne(t, must(s.client.Receiver(DeadLetters(plainQueue))))
		if dead.Properties["DeadLetterReason"] != "invalid-job" || dead.Properties["DeadLetterErrorDescription"] != "no items" {
			t.Errorf("dead letter: got %v, want reason and description", dead.Properties)
		}
		if again := takeOne(t, s.receiver); again.ID != s.held[1].ID || again.Count != 2 {
			t.Errorf("abandoned: got %q, count %d, want %q, count 2", again.ID, again.Count, s.held[1].ID)
		}
	})
}

func takeOne(t *testing.T, r queue.Receiver) *queue.Delivery {
	t.Helper()
	got, err := r.Receive(t.Context(), 1)
	if err != nil {
		t.Fatalf("receive: got %v, want nil", err)
	}
	return got[0]
}

// TestRenewAfterReset renews until after the first lock would have ended.
func TestRenewAfterReset(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 1)
		for range 4 {
			s.cut()
			if _, err := s.held[0].Renew(t.Context()); err != nil {
				t.Fatalf("renew: got %v, want nil", err)
			}
			<-time.After(lockDuration / 2)
		}
		s.settleAll(t, completeOne)
		s.wantNoneAgain(t.Context(), t)
	})
}

// TestSettleThroughOutage keeps the broker out of reach for a third of the
// lock while settlements are under way.
func TestSettleThroughOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 20)
		ctx, cancel := context.WithCancel(t.Context())
		s.keepReceiving(ctx)
		synctest.Wait()
		s.down()
		time.AfterFunc(lockDuration/3, s.up)
		took := s.settleAll(t, completeOne)
		t.Logf("settled through an outage of %v in %v with %d dials", lockDuration/3, took, s.dials())
		if took > lockDuration {
			t.Errorf("settlements: took %v, want less than the lock of %v", took, lockDuration)
		}
		if got := s.dials(); got > 20 {
			t.Errorf("connections: got %d, want no more than one settlement and one receive loop ask for", got)
		}
		s.wantNoneAgain(ctx, t)
		cancel()
		s.loop.Wait()
	})
}

// TestSettleUnderRepeatedResets has the broker drop each of the first
// connections after some frames. Some confirmations are lost in between, and
// then the lock is found gone: but no message may come again.
func TestSettleUnderRepeatedResets(t *testing.T) {
	t.Parallel()
	for _, frames := range []int{30, 60, 90} {
		t.Run(fmt.Sprint(frames, " frames"), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const n = 60
				bus := startFaultyBus(t, localbus.Faults{DropAfterFrames: frames, MaxFaults: 4})
				s := newSceneOn(t, bus, n)
				ctx, cancel := context.WithCancel(t.Context())
				s.keepReceiving(ctx)
				var confirmed atomic.Int32
				took := s.settleAll(t, func(ctx context.Context, d *queue.Delivery) error {
					err := d.Complete(ctx)
					if err == nil {
						confirmed.Add(1)
					}
					if errors.Is(err, queue.ErrLockLost) {
						return nil
					}
					return err
				})
				t.Logf("settled %d in %v with %d connections, %d confirmed", n, took, s.dials(), confirmed.Load())
				if took > lockDuration {
					t.Errorf("settlements: took %v, want less than the lock of %v", took, lockDuration)
				}
				s.wantNoneAgain(ctx, t)
				cancel()
				s.loop.Wait()
			})
		})
	}
}

// TestSendThroughReset cuts the connection between sends and during them.
func TestSendThroughReset(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &cutter{under: startBus(t).dial}
		client := newClient(t, c.dial)
		sender := must(client.Sender(uniqueQueue))
		started := time.Now()
		for i := range 20 {
			go c.cut()
			if err := sender.Send(t.Context(), queue.Message{ID: fmt.Sprint(i)}); err != nil {
				t.Errorf("send %d: got %v, want nil", i, err)
			}
		}
		if took := time.Since(started); took > 20*time.Second {
			t.Errorf("sends: took %v, want less than a second each", took)
		}
		r := must(client.Receiver(uniqueQueue))
		for i := range 20 {
			if got := takeOne(t, r); got.ID != fmt.Sprint(i) {
				t.Errorf("message %d: got %q", i, got.ID)
			}
		}
	})
}

// TestSessionLosesItsLocksWithTheLink requires a quick and clear answer: the
// message is with nobody, and the receiver gets it again.
func TestSessionLosesItsLocksWithTheLink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &cutter{under: startBus(t).dial}
		client := newClient(t, c.dial)
		sender := must(client.Sender(sessionQueue))
		if err := sender.Send(t.Context(), queue.Message{ID: "r", SessionID: "s"}); err != nil {
			t.Fatal(err)
		}
		r := must(client.SessionReceiver(t.Context(), sessionQueue, "s"))
		held := takeOne(t, r)
		c.cut()
		again := takeOne(t, r)
		started := time.Now()
		if err := held.Complete(t.Context()); !errors.Is(err, queue.ErrLockLost) {
			t.Errorf("complete: got %v, want lock lost", err)
		}
		if _, err := held.Renew(t.Context()); !errors.Is(err, queue.ErrLockLost) {
			t.Errorf("renew: got %v, want lock lost", err)
		}
		if took := time.Since(started); took > time.Second {
			t.Errorf("answer: took %v, want it at once", took)
		}
		if err := again.Complete(t.Context()); err != nil || again.ID != held.ID {
			t.Errorf("complete %q again: got %v, want nil", again.ID, err)
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
