package broker_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

// ledger counts how often each message was brought to an end.
type ledger struct {
	mu   sync.Mutex // guards ends
	ends map[string]int
	left atomic.Int64
}

func newLedger(n int) *ledger {
	l := &ledger{ends: map[string]int{}}
	l.left.Store(int64(n))
	return l
}

// end notes that the broker accepted the end of a message.
func (l *ledger) end(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends[id]++
	l.left.Add(-1)
}

// check reports messages that ended never or twice.
func (l *ledger) check(t *testing.T, want int) {
	t.Helper()
	if len(l.ends) != want {
		t.Errorf("%d messages ended, want %d", len(l.ends), want)
	}
	for id, n := range l.ends {
		if n != 1 {
			t.Errorf("message %s ended %d times", id, n)
		}
	}
}

// TestRaceNothingLostOrDoubled lets many goroutines of a real scheduler send,
// take, fail and forward between two queues that send their dead letters to
// each other, and counts.
func TestRaceNothingLostOrDoubled(t *testing.T) {
	t.Parallel()
	const senders, each = 4, 500
	b := broker.New(broker.Config{})
	t.Cleanup(b.Close)
	for name, p := range map[string]broker.Properties{
		"a": {ForwardTo: "b"},
		"b": {MaxDeliveryCount: 2, ForwardDeadLettersTo: "c"},
		"c": {MaxDeliveryCount: 2, ForwardDeadLettersTo: "b"},
	} {
		if _, err := b.Create(name, p); err != nil {
			t.Fatal(err)
		}
	}
	l := newLedger(senders * each)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var workers sync.WaitGroup
	for i, name := range []string{"b", "b", "b", "c", "c"} {
		q, _ := b.Open(name)
		random := rand.New(rand.NewPCG(uint64(i), 4))
		workers.Go(func() {
			defer stop() // the first to see that all is done sends the others home
			(&worker{T: t, queue: q, random: random, ledger: l}).run(ctx)
		})
	}
	a, _ := b.Open("a")
	var sending sync.WaitGroup
	for s := range senders {
		sending.Go(func() {
			for i := range each {
				if _, err := a.Send(broker.Message{ID: fmt.Sprint(s, "/", i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	sending.Wait()
	workers.Wait()
	l.check(t, senders*each)
	for _, d := range b.List() {
		if d.Total != 0 || d.SizeBytes != 0 {
			t.Errorf("queue %s holds %d messages", d.Name, d.Total)
		}
	}
}

// worker takes from a queue whenever it is notified, and settles at random.
type worker struct {
	*testing.T
	queue  *broker.Queue
	random *rand.Rand
	ledger *ledger
}

func (w *worker) run(ctx context.Context) {
	bell := make(chan struct{}, 1)
	c, err := w.queue.Consume(broker.ConsumerConfig{Notify: func() {
		select {
		case bell <- struct{}{}:
		default:
		}
	}})
	if err != nil {
		w.Error(err)
		return
	}
	defer c.Close()
	for w.ledger.left.Load() > 0 {
		got, err := c.Take(1 + w.random.IntN(4))
		if err != nil {
			w.Error(err)
			return
		}
		for _, d := range got {
			w.settle(d)
		}
		if len(got) > 0 {
			continue
		}
		select {
		case <-bell:
		case <-ctx.Done():
			return
		}
	}
}

func (w *worker) settle(d broker.Delivery) {
	choices := []broker.Settlement{complete, complete, abandon, release, {Outcome: broker.DeadLetter}}
	s := choices[w.random.IntN(len(choices))]
	if err := w.queue.Settle(s, d.LockToken); err != nil {
		w.Error(err)
		return
	}
	if s.Outcome == broker.Complete {
		w.ledger.end(d.ID)
	}
}

// TestSessionsNothingLostOrDoubled lets workers accept sessions, work through
// them, fail, stall past the lock and walk away, in virtual time.
func TestSessionsNothingLostOrDoubled(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { sessionsRound(t, seed) })
		})
	}
}

func sessionsRound(t *testing.T, seed uint64) {
	const sessions, each = 7, 20
	b := newSessionBus(t)
	l := newLedger(sessions * each)
	var workers sync.WaitGroup
	for w := range 4 {
		random := rand.New(rand.NewPCG(seed, uint64(w)))
		workers.Go(func() {
			for l.left.Load() > 0 {
				serveSession(b, random, l)
			}
		})
	}
	random := rand.New(rand.NewPCG(seed, 99))
	for i := range sessions * each {
		b.sendTo(fmt.Sprint("s", i%sessions), fmt.Sprint("m", i))
		pass(time.Duration(random.IntN(300)) * time.Millisecond)
	}
	for dead := b.consume(b.dead, broker.PeekLock); l.left.Load() > 0; pass(time.Second) {
		got, err := dead.Take(10)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range got {
			b.settle(b.dead, complete, d)
			l.end(d.ID)
		}
	}
	workers.Wait()
	l.check(t, sessions*each)
	b.counts(broker.Counts{})
	if left, _ := b.queue.Sessions(broker.SessionFilter{}); len(left) != 0 {
		t.Errorf("sessions %q are left", left)
	}
}

// serveSession accepts a session and works on it for a while.
func serveSession(b *bus, random *rand.Rand, l *ledger) {
	ctx, cancel := context.WithTimeout(b.Context(), time.Second)
	defer cancel()
	c, err := b.queue.AcceptSession(ctx, broker.SessionConfig{Next: true})
	if err != nil {
		if broker.KindOf(err) != broker.Timeout {
			b.Error(err)
		}
		return
	}
	defer c.Close()
	for range 1 + random.IntN(5) {
		got, err := c.Take(1 + random.IntN(3))
		if err != nil {
			if broker.KindOf(err) != broker.SessionLockLost {
				b.Error(err)
			}
			return
		}
		settleSession(b, got, random, l)
	}
}

// settleSession settles what was taken from a session in order, or stalls.
func settleSession(b *bus, got []broker.Delivery, random *rand.Rand, l *ledger) {
	var last int64
	for _, d := range got {
		if d.SequenceNumber <= last {
			b.Errorf("number %d after %d", d.SequenceNumber, last)
		}
		last = d.SequenceNumber
		pass(time.Duration(random.IntN(4)) * time.Second)
		s := []broker.Settlement{complete, complete, complete, abandon, release}[random.IntN(5)]
		switch err := b.queue.Settle(s, d.LockToken); {
		case err == nil && s.Outcome == broker.Complete:
			l.end(d.ID)
		case err != nil && broker.KindOf(err) != broker.LockLost:
			b.Error(err)
		}
	}
}
