package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
)

// TestReplay puts back what matches, whole, under ids that the queue does not
// drop although it has just seen the first ones.
func TestReplay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const letters = 300
		r := newMorgueRig(t, letters, localbus.Faults{})
		s := r.sweep(r.morgue, letterFilter{reasons: []string{"odd"}, limit: 50}, r.replayer(r.morgue))
		from := &noting{Receiver: s.from}
		s.from = from
		r.must(s.run(t.Context(), t.Context()))
		if s.done != 50 || len(s.failed) != 0 {
			t.Errorf("got %d done and %d failed, want 50 and none", s.done, len(s.failed))
		}
		if from.highest > s.last || from.n > 100 {
			t.Errorf("received %d up to number %d, want at most 100 up to %d: nothing behind the last match", from.n, from.highest, s.last)
		}
		r.once(r.alive(), letters, func(n int) bool { return n%2 == 1 && n < 100 })
		if got := r.count(); got != letters-50 {
			t.Errorf("got %d dead letters, want %d", got, letters-50)
		}
		// What was held aside is free again at once.
		before := time.Now()
		all := r.sweep(r.morgue, letterFilter{}, purge)
		r.must(all.run(t.Context(), t.Context()))
		if took := time.Since(before); all.done != letters-50 || took > time.Second {
			t.Errorf("purge: got %d done after %s, want %d at once", all.done, took, letters-50)
		}
	})
}

// TestReplayDiesBetweenSendAndComplete sends, deletes nothing, and is run again.
func TestReplayDiesBetweenSendAndComplete(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const letters = 40
		r := newMorgueRig(t, letters, localbus.Faults{})
		died := errors.New("died")
		s := r.sweep(r.morgue, letterFilter{}, func(ctx context.Context, batch []*queue.Delivery) []error {
			errs := make([]error, len(batch))
			for i, d := range batch {
				r.must(r.to.Send(ctx, revive(d)))
				errs[i] = died
			}
			return errs
		})
		if err := s.run(t.Context(), t.Context()); !errors.Is(err, died) {
			t.Fatalf("got %v, want the failure", err)
		}
		again := r.sweep(r.morgue, letterFilter{}, r.replayer(r.morgue))
		r.must(again.run(t.Context(), t.Context()))
		r.once(r.alive(), letters, everyOne)
		if got := r.count(); got != 0 {
			t.Errorf("got %d dead letters, want none", got)
		}
	})
}

// TestReplayUnderFaults loses locks, connections and half of some messages.
func TestReplayUnderFaults(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string]localbus.Faults{
		"lost locks":  {LoseLockEvery: 7, MaxFaults: 40},
		"busy":        {ServerBusyEvery: 11, MaxFaults: 30},
		"drops":       {DropAfterFrames: 200, MaxFaults: 8},
		"half frames": {HalfFrameEvery: 60, MaxFaults: 8},
		"all": {LoseLockEvery: 9, ServerBusyEvery: 23, DropAfterFrames: 500, HalfFrameEvery: 101, RefuseLinkEvery: 9, MaxFaults: 10,
			Delay: time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const letters = 200
				r := newMorgueRig(t, letters, faults)
				for attempt := 0; r.count() > 0; attempt++ {
					s := r.sweep(r.morgue, letterFilter{}, r.replayer(r.morgue))
					if err := s.run(t.Context(), t.Context()); err != nil && attempt == 20 {
						t.Fatal(err)
					}
				}
				r.once(r.alive(), letters, everyOne)
			})
		})
	}
}

// TestReplayersSideBySide replays with three at the same time, while a fourth
// holds some for a while.
func TestReplayersSideBySide(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const letters = 400
		r := newMorgueRig(t, letters, localbus.Faults{})
		idle, err := r.open().letters.Receive(t.Context(), 10)
		r.must(err)
		var running sync.WaitGroup
		for range 3 {
			m := r.open()
			s := r.sweep(m, letterFilter{}, r.replayer(m))
			running.Go(func() {
				if err := s.run(t.Context(), t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		<-time.After(5 * time.Second)
		eachOf(idle, func(d *queue.Delivery) { _ = d.Abandon(t.Context()) })
		running.Wait()
		r.once(r.alive(), letters, everyOne)
		if got := r.count(); got != 0 {
			t.Errorf("got %d dead letters, want none", got)
		}
	})
}

// TestReplayInterrupted stops at some moments; what was not done is free at
// once, and a second run does the rest.
func TestReplayInterrupted(t *testing.T) {
	t.Parallel()
	for after := range 4 {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const letters = 300
				r := newMorgueRig(t, letters, localbus.Faults{})
				soft, interrupt := context.WithCancel(t.Context())
				replay, n := r.replayer(r.morgue), 0
				s := r.sweep(r.morgue, letterFilter{}, func(ctx context.Context, batch []*queue.Delivery) []error {
					errs := replay(ctx, batch)
					if n++; n > after {
						interrupt()
					}
					return errs
				})
				if err := s.run(soft, t.Context()); !errors.Is(err, context.Canceled) {
					t.Fatalf("got %v, want canceled", err)
				}
				if got := r.count(); got != letters-s.done {
					t.Errorf("got %d dead letters after %d were done, want %d", got, s.done, letters-s.done)
				}
				again := r.sweep(r.morgue, letterFilter{}, r.replayer(r.morgue))
				before := time.Now()
				r.must(again.run(t.Context(), t.Context()))
				if took := time.Since(before); again.done != letters-s.done || took > time.Second {
					t.Errorf("the second run did %d in %s, want %d at once", again.done, took, letters-s.done)
				}
				r.once(r.alive(), letters, everyOne)
			})
		})
	}
}

// TestSweepGivesUp meets a dead letter that another holds for ever, and more
// than it can hold aside.
func TestSweepGivesUp(t *testing.T) {
	t.Parallel()
	t.Run("held", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newMorgueRig(t, 10, localbus.Faults{})
			other, err := r.open().letters.Receive(t.Context(), 1)
			r.must(err)
			keep := newAside(t.Context(), maxAside)
			r.must(keep.add(other...))
			s := r.sweep(r.morgue, letterFilter{}, purge)
			if err := s.run(t.Context(), t.Context()); !errors.Is(err, errHeld) || s.done != 9 {
				t.Errorf("got %v after %d, want that others hold the rest after 9", err, s.done)
			}
			keep.giveBack(t.Context())
			r.must(r.sweep(r.morgue, letterFilter{}, purge).run(t.Context(), t.Context()))
		})
	})
	t.Run("too many in front", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			const letters = 100
			r := newMorgueRig(t, letters, localbus.Faults{})
			s := r.sweep(r.morgue, letterFilter{jobs: []string{"job-99"}}, purge)
			s.most = 90
			err := s.run(t.Context(), t.Context())
			if err == nil || s.done != 0 {
				t.Errorf("got %v after %d, want an error and nothing done", err, s.done)
			}
			if got := r.count(); got != letters {
				t.Errorf("got %d dead letters, want all", got)
			}
		})
	})
}

// TestReplayTooLarge has a letter whose copy the queue does not take: it stays,
// and the others go.
func TestReplayTooLarge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const letters = 20
		r := newMorgueRig(t, letters, localbus.Faults{})
		act := r.replayer(r.morgue)
		s := r.sweep(r.morgue, letterFilter{}, func(ctx context.Context, batch []*queue.Delivery) []error {
			for _, d := range batch {
				if d.ID == "m3" {
					d.Body = make([]byte, 1<<20)
				}
			}
			return act(ctx, batch)
		})
		r.must(s.run(t.Context(), t.Context()))
		if s.done != letters-1 || len(s.failed) != 1 {
			t.Errorf("got %d done and %d failed, want all but one", s.done, len(s.failed))
		}
		r.once(r.alive(), letters, func(n int) bool { return n != 3 })
		if got := r.count(); got != 1 {
			t.Errorf("got %d dead letters, want the large one", got)
		}
	})
}
