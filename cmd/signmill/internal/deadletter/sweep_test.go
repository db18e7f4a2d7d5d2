package deadletter

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
		r := newRig(t, letters, localbus.Faults{})
		s := r.sweep(r.process, Filter{Reasons: []string{"odd"}, Limit: 50}, r.replayer(r.process))
		from := &noting{Receiver: s.From}
		s.From = from
		r.must(s.Run(t.Context(), t.Context()))
		if s.Done != 50 || len(s.Failed) != 0 {
			t.Errorf("got %d done and %d failed, want 50 and none", s.Done, len(s.Failed))
		}
		if from.highest > s.Last || from.n > 100 {
			t.Errorf("received %d up to number %d, want at most 100 up to %d: nothing behind the last match", from.n, from.highest, s.Last)
		}
		r.once(r.alive(), letters, func(n int) bool { return n%2 == 1 && n < 100 })
		if got := r.count(); got != letters-50 {
			t.Errorf("got %d dead letters, want %d", got, letters-50)
		}
		// What was held aside is free again at once.
		before := time.Now()
		all := r.sweep(r.process, Filter{}, Purge)
		r.must(all.Run(t.Context(), t.Context()))
		if took := time.Since(before); all.Done != letters-50 || took > time.Second {
			t.Errorf("purge: got %d done after %s, want %d at once", all.Done, took, letters-50)
		}
	})
}

// TestReplayDiesBetweenSendAndComplete sends, deletes nothing, and is run again.
func TestReplayDiesBetweenSendAndComplete(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const letters = 40
		r := newRig(t, letters, localbus.Faults{})
		died := errors.New("died")
		s := r.sweep(r.process, Filter{}, func(ctx context.Context, batch []*queue.Delivery) []error {
			errs := make([]error, len(batch))
			for i, d := range batch {
				r.must(r.to.Send(ctx, revive(d)))
				errs[i] = died
			}
			return errs
		})
		if err := s.Run(t.Context(), t.Context()); !errors.Is(err, died) {
			t.Fatalf("got %v, want the failure", err)
		}
		again := r.sweep(r.process, Filter{}, r.replayer(r.process))
		r.must(again.Run(t.Context(), t.Context()))
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
				r := newRig(t, letters, faults)
				for attempt := 0; r.count() > 0; attempt++ {
					s := r.sweep(r.process, Filter{}, r.replayer(r.process))
					if err := s.Run(t.Context(), t.Context()); err != nil && attempt == 20 {
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
		r := newRig(t, letters, localbus.Faults{})
		idle, err := r.open().letters.Receive(t.Context(), 10)
		r.must(err)
		var running sync.WaitGroup
		for range 3 {
			m := r.open()
			s := r.sweep(m, Filter{}, r.replayer(m))
			running.Go(func() {
				if err := s.Run(t.Context(), t.Context()); err != nil {
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
				r := newRig(t, letters, localbus.Faults{})
				soft, interrupt := context.WithCancel(t.Context())
				replay, n := r.replayer(r.process), 0
				s := r.sweep(r.process, Filter{}, func(ctx context.Context, batch []*queue.Delivery) []error {
					errs := replay(ctx, batch)
					if n++; n > after {
						interrupt()
					}
					return errs
				})
				if err := s.Run(soft, t.Context()); !errors.Is(err, context.Canceled) {
					t.Fatalf("got %v, want canceled", err)
				}
				if got := r.count(); got != letters-s.Done {
					t.Errorf("got %d dead letters after %d were done, want %d", got, s.Done, letters-s.Done)
				}
				again := r.sweep(r.process, Filter{}, r.replayer(r.process))
				before := time.Now()
				r.must(again.Run(t.Context(), t.Context()))
				if took := time.Since(before); again.Done != letters-s.Done || took > time.Second {
					t.Errorf("the second run did %d in %s, want %d at once", again.Done, took, letters-s.Done)
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
			r := newRig(t, 10, localbus.Faults{})
			other, err := r.open().letters.Receive(t.Context(), 1)
			r.must(err)
			keep := newAside(t.Context(), maxAside)
			r.must(keep.add(other...))
			s := r.sweep(r.process, Filter{}, Purge)
			if err := s.Run(t.Context(), t.Context()); !errors.Is(err, errHeld) || s.Done != 9 {
				t.Errorf("got %v after %d, want that others hold the rest after 9", err, s.Done)
			}
			keep.giveBack(t.Context())
			r.must(r.sweep(r.process, Filter{}, Purge).Run(t.Context(), t.Context()))
		})
	})
	t.Run("too many in front", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			const letters = 100
			r := newRig(t, letters, localbus.Faults{})
			s := r.sweep(r.process, Filter{Jobs: []string{"job-99"}}, Purge)
			s.most = 90
			err := s.Run(t.Context(), t.Context())
			if err == nil || s.Done != 0 {
				t.Errorf("got %v after %d, want an error and nothing done", err, s.Done)
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
		r := newRig(t, letters, localbus.Faults{})
		act := r.replayer(r.process)
		s := r.sweep(r.process, Filter{}, func(ctx context.Context, batch []*queue.Delivery) []error {
			for _, d := range batch {
				if d.ID == "m3" {
					d.Body = make([]byte, 1<<20)
				}
			}
			return act(ctx, batch)
		})
		r.must(s.Run(t.Context(), t.Context()))
		if s.Done != letters-1 || len(s.Failed) != 1 {
			t.Errorf("got %d done and %d failed, want all but one", s.Done, len(s.Failed))
		}
		r.once(r.alive(), letters, func(n int) bool { return n != 3 })
		if got := r.count(); got != 1 {
			t.Errorf("got %d dead letters, want the large one", got)
		}
	})
}
