package redisshare_test

import (
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/signer/quota/redisshare/redistest"
)

func TestFreshRecordIsSilent(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		r := join(t, store, "a")
		after(time.Second)
		if g := r.ask(1); g.Units != 0 || g.Again < time.Second {
			t.Errorf("a second after the record was made: %+v", g)
		}
		after(4 * time.Second)
		if g := r.ask(1); g.Units != 2 {
			t.Errorf("five seconds after the record was made: %+v", g)
		}
	})
}

func TestOneSequence(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		all := settled(t, store, "a", "b")
		after(time.Second)
		a := all[0].ask(200)
		b := all[1].ask(200)
		if want := quota.Units(400 * 0.25 / 2); a.Units != want || b.Units != want {
			t.Errorf("grants of %d and %d, want half of a quarter of a second, %d", a.Units, b.Units, want)
		}
		if gap := b.After - a.After + 6*time.Millisecond; gap < 124*time.Millisecond || gap > 126*time.Millisecond {
			t.Errorf("the second grant begins %s after the first, want 125ms", gap)
		}
	})
}

func TestUnevenDemand(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		all := settled(t, store, "a", "b", "c", "d")
		after(time.Second)
		units, start := quota.Units(0), time.Now()
		for time.Since(start) < 10*time.Second {
			g := all[0].ask(200)
			units += g.Units
			for _, r := range all[1:] {
				units += r.ask(1).Units
			}
			after(g.After + time.Duration(float64(g.Units)/g.Rate*0.6*1e9))
		}
		if units < 3960 || units > 4100 {
			t.Errorf("one busy replica of four and the others got %d units in 10 s, want 4,000", units)
		}
	})
}

func TestVanishedStopCounting(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		all := settled(t, store, "a", "b")
		if n := all[0].part().Replicas; n != 2 {
			t.Errorf("%d replicas, want 2", n)
		}
		after(2600 * time.Millisecond)
		all[0].ask(1)
		if n := all[0].part().Replicas; n != 1 {
			t.Errorf("%d replicas 2.6 s after the other's last question, want 1", n)
		}
	})
}

func TestLeaverStopsCountingAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		all := settled(t, store, "a", "b")
		all[1].stop()
		all[0].ask(1)
		if n := all[0].part().Replicas; n != 1 {
			t.Errorf("%d replicas, want 1", n)
		}
	})
}

func TestEpochIsPushed(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		all := settled(t, store, "a", "b")
		before := all[1].part().Epoch
		all[0].throttle()
		after(4 * time.Millisecond)
		if got := all[1].part().Epoch; got != before+1 {
			t.Errorf("epoch %d a one-way trip after the cut, want %d", got, before+1)
		}
	})
}

// probe asks until a probe is granted.
func (r *replica) probe() (quota.Grant, time.Duration) {
	start := time.Now()
	for time.Since(start) < 10*time.Second {
		if g := r.ask(5); g.Units > 0 {
			return g, time.Since(start)
		}
		after(20 * time.Millisecond)
	}
	r.t.Fatal("no probe for 10 s")
	return quota.Grant{}, 0
}

func TestOneProbeAtATime(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		all := settled(t, store, "a", "b")
		all[0].throttle()
		g, _ := all[0].probe()
		if !g.Probe || g.Units != 2 {
			t.Errorf("a grant in a pause is %+v", g)
		}
		if g := all[1].ask(5); g.Units != 0 {
			t.Errorf("a second one goes beside the probe: %+v", g)
		}
	})
}

func TestLostProbeIsGivenToAnother(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lose  func(r *replica, g quota.Grant)
		until time.Duration
	}{
		{"failure", func(r *replica, g quota.Grant) {
			_ = r.Report(r.t.Context(), []quota.Done{{Cost: 2, Age: time.Millisecond, Epoch: g.Epoch, Probe: true}})
		}, 300 * time.Millisecond},
		{"crash", func(*replica, quota.Grant) {}, 2500 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, store *redistest.Store) {
				all := settled(t, store, "a", "b")
				all[0].throttle()
				g, _ := all[0].probe()
				after(10 * time.Millisecond)
				tt.lose(all[0], g)
				if g, took := all[1].probe(); !g.Probe || took > tt.until {
					t.Errorf("the next probe went after %s: %+v", took, g)
				}
			})
		})
	}
}

func TestRetryAfterHoldsTheFleet(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		all := settled(t, store, "a", "b")
		after(time.Second)
		g := all[0].ask(1)
		refused := quota.Result{Outcome: quota.Throttled, RetryAfter: 2 * time.Second}
		_ = all[0].Report(t.Context(), []quota.Done{{Result: refused, Cost: 2, Age: 10 * time.Millisecond, Epoch: g.Epoch}})
		if g := all[1].ask(1); g.Units != 0 || g.Again < time.Second {
			t.Errorf("a grant while the vault wants no calls: %+v", g)
		}
	})
}

// TestHeavyFleetClimbsSeldom: at 25 calls per second a failed climb every 10 s
// would be 1.6 % of the calls.
func TestHeavyFleetClimbsSeldom(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		r := settled(t, store, "a")[0]
		g := r.ask(1)
		_ = r.Report(t.Context(), []quota.Done{{Result: quota.Result{Outcome: quota.Throttled}, Cost: 16, Age: 20 * time.Millisecond, Epoch: g.Epoch}})
		at, wall := number(t, store, "climb_at"), number(t, store, "wall")
		period := 40.0 // 800 calls take 32 s
		if n := (at + wall) / period; n-float64(int64(n+0.5)) > 1e-3 {
			t.Errorf("a climb at %v is not on the grid of %v s", at+wall, period)
		}
	})
}

func TestRecordExpires(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		settled(t, store, "a")[0].stop()
		if keys := store.Keys(); len(keys) < 2 || !strings.Contains(keys[0], "{v}") {
			t.Errorf("keys %q", keys)
		}
		after(61 * time.Minute)
		if keys := store.Keys(); len(keys) > 0 {
			t.Errorf("after an hour there are still %q", keys)
		}
	})
}

func TestRecordIsBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		r := settled(t, store, "a")[0]
		for range 300 {
			g := r.ask(200)
			done := quota.Done{Result: quota.Result{Outcome: quota.Accepted}, Cost: 2, Age: 90 * time.Millisecond, Epoch: g.Epoch}
			r.ask(1, done)
			after(300 * time.Millisecond)
		}
		sends, err := store.List(record + ":sends")
		if err != nil || len(sends) != 4096 {
			t.Errorf("%d sends are remembered, %v", len(sends), err)
		}
		buckets, err := store.HKeys(record + ":accepts")
		if err != nil || len(buckets) > 512 {
			t.Errorf("%d tenths of a second are remembered, %v", len(buckets), err)
		}
	})
}
