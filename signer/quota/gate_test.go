package quota

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bubble runs a test in virtual time with a gate that is ready: one unit per
// 100 ms unless config says otherwise.
func bubble(t *testing.T, config Config, test func(t *testing.T, g *Gate)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		orElse(&config.Quota, 100)
		orElse(&config.Guard, 1)
		config.Random = rand.NewPCG(1, 2)
		g, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		synctest.Wait()
		g.mu.Lock()
		g.pacer.balance = 0
		g.mu.Unlock()
		test(t, g)
	})
}

func enter(t *testing.T, g *Gate, cost Units) Pass {
	t.Helper()
	p, err := g.Enter(t.Context(), cost)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func sleep(d time.Duration) { <-time.After(d) }

func TestEnterPaces(t *testing.T) {
	t.Parallel()
	bubble(t, Config{}, func(t *testing.T, g *Gate) {
		start := time.Now()
		var got []string
		for _, cost := range []Units{1, 4, 0, 1} {
			enter(t, g, cost).Leave(Result{Outcome: Accepted})
			got = append(got, time.Since(start).Round(time.Millisecond).String())
		}
		if got, want := strings.Join(got, " "), "0s 100ms 500ms 600ms"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if s := g.State(); s.Used != 7 || s.Sent != 4 || s.Accepted != 4 || s.InFlight != 0 || s.Phase != Sending {
			t.Errorf("state: %+v", s)
		}
	})
}

func TestEnterTakesTurns(t *testing.T) {
	t.Parallel()
	bubble(t, Config{Lanes: map[string]Lane{"bulk": {}}}, func(t *testing.T, g *Gate) {
		enter(t, g, 1)
		var mu sync.Mutex
		var order []string
		var all sync.WaitGroup
		for _, c := range []Caller{{"a", ""}, {"a", ""}, {"a", ""}, {"b", ""}, {"c", "bulk"}, {"c", "bulk"}} {
			all.Go(func() {
				p, err := g.Enter(WithCaller(t.Context(), c), 1)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, c.Job)
				mu.Unlock()
				p.Leave(Result{Outcome: Accepted})
			})
			synctest.Wait()
		}
		all.Wait()
		if got, want := strings.Join(order, " "), "a c b c a a"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// TestWaiterGivesUp checks that one who gives up costs nothing: the next goes
// at the time at which it would have gone.
func TestWaiterGivesUp(t *testing.T) {
	t.Parallel()
	bubble(t, Config{}, func(t *testing.T, g *Gate) {
		start := time.Now()
		enter(t, g, 1)
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := g.Enter(ctx, 16); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
		synctest.Wait()
		all.Go(func() {
			enter(t, g, 1)
			if got := time.Since(start); got != 100*time.Millisecond {
				t.Errorf("the next went after %v, want 100ms", got)
			}
		})
		synctest.Wait()
		cancel()
		all.Wait()
		if s := g.State(); s.Waiting != 0 || s.Used != 2 {
			t.Errorf("state: %+v", s)
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	bubble(t, Config{MaxWaiting: 2}, func(t *testing.T, g *Gate) {
		enter(t, g, 10) // 1 s of debt
		short, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
		defer cancel()
		_, err := g.Enter(short, 1)
		var late *WaitError
		if !errors.Is(err, ErrTooLate) || !errors.As(err, &late) {
			t.Fatalf("a deadline before the turn: got %v", err)
		}
		if late.Wait != time.Second || late.Left != 900*time.Millisecond {
			t.Errorf("got %+v, want a wait of 1s with 900ms left", late)
		}
		long, cancel := context.WithTimeout(t.Context(), 1100*time.Millisecond)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := g.Enter(long, 1); err != nil {
				t.Errorf("a deadline after the turn: %v", err)
			}
		})
		synctest.Wait()
		all.Go(func() { enter(t, g, 1) })
		synctest.Wait()
		if _, err := g.Enter(t.Context(), 1); !errors.Is(err, ErrFull) {
			t.Errorf("a third in a line of two: got %v", err)
		}
		all.Wait()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := g.Enter(ended, 1); !errors.Is(err, context.Canceled) {
			t.Errorf("an ended context: got %v", err)
		}
	})
}

func TestClose(t *testing.T) {
	t.Parallel()
	bubble(t, Config{}, func(t *testing.T, g *Gate) {
		p := enter(t, g, 100)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if _, err := g.Enter(t.Context(), 1); !errors.Is(err, ErrClosed) {
					t.Errorf("one that waits: got %v", err)
				}
			})
		}
		synctest.Wait()
		g.Close()
		all.Wait()
		if _, err := g.Enter(t.Context(), 1); !errors.Is(err, ErrClosed) {
			t.Errorf("afterwards: got %v", err)
		}
		p.Leave(Result{Outcome: Accepted})
		if s := g.State(); s.Phase != Closed || s.Accepted != 1 {
			t.Errorf("state: %+v", s)
		}
	})
}

func TestLeaveCountsOnce(t *testing.T) {
	t.Parallel()
	bubble(t, Config{}, func(t *testing.T, g *Gate) {
		p := enter(t, g, 1)
		p.Leave(Result{Outcome: Throttled})
		q := enter(t, g, 1) // in the same slot
		p.Leave(Result{Outcome: Throttled})
		if s := g.State(); s.Throttled != 1 || s.InFlight != 1 {
			t.Errorf("state: %+v", s)
		}
		q.Leave(Result{})
		Pass{}.Leave(Result{})
		if _, err := (Pass{}).Again(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("the zero Pass goes again: %v", err)
		}
		if s := g.State(); s.Failed != 1 || s.InFlight != 0 {
			t.Errorf("state: %+v", s)
		}
	})
}

// TestAgain checks that a throttled call pays again, and goes before all
// others of its lane once its short wait is over.
func TestAgain(t *testing.T) {
	t.Parallel()
	bubble(t, Config{}, func(t *testing.T, g *Gate) {
		start := time.Now()
		p := enter(t, g, 1)
		var all sync.WaitGroup
		var mu sync.Mutex
		var order []string
		went := func(name string) {
			mu.Lock()
			order = append(order, fmt.Sprint(name, " ", time.Since(start).Round(100*time.Millisecond)))
			mu.Unlock()
		}
		for range 4 {
			all.Go(func() { enter(t, g, 1); went("other") })
		}
		synctest.Wait()
		p.Leave(Result{Outcome: Throttled})
		all.Go(func() {
			if _, err := p.Again(t.Context()); err != nil {
				t.Error(err)
			}
			went("again")
		})
		all.Wait()
		if got, want := strings.Join(order, ", "), "other 100ms, again 200ms, other 300ms, other 400ms, other 500ms"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if s := g.State(); s.Used != 6 {
			t.Errorf("used %d units, want 6: the throttled call pays twice", s.Used)
		}
	})
}

func TestRetryAfterHoldsTheGate(t *testing.T) {
	t.Parallel()
	bubble(t, Config{}, func(t *testing.T, g *Gate) {
		start := time.Now()
		p := enter(t, g, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := g.Enter(ctx, 1); !errors.Is(err, ErrTooLate) || time.Since(start) != 0 {
				t.Errorf("a deadline before the end of the hold: got %v after %v", err, time.Since(start))
			}
		})
		all.Go(func() {
			enter(t, g, 1)
			if got := time.Since(start); got < 3*time.Second || got > 3200*time.Millisecond {
				t.Errorf("went after %v, want 3 s and up to one spacing", got)
			}
		})
		synctest.Wait()
		p.Leave(Result{Outcome: Throttled, RetryAfter: 3 * time.Second})
		if got := g.State().Phase; got != Holding {
			t.Errorf("phase: got %s", got)
		}
		all.Wait()
	})
}

// TestSetQuota checks that one who waits goes by the new rate, not by a time
// that was computed at the old one.
func TestSetQuota(t *testing.T) {
	t.Parallel()
	bubble(t, Config{}, func(t *testing.T, g *Gate) {
		start := time.Now()
		enter(t, g, 10)
		var all sync.WaitGroup
		all.Go(func() {
			enter(t, g, 1)
			if got := time.Since(start).Round(time.Millisecond); got != 550*time.Millisecond {
				t.Errorf("went after %v, want 550ms", got)
			}
		})
		sleep(500 * time.Millisecond)
		if err := g.SetQuota(1000); err != nil {
			t.Error(err)
		}
		all.Wait()
		if err := g.SetQuota(0); err == nil {
			t.Error("a quota of zero was taken")
		}
	})
}

func TestConfigFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{
		"quota":    {Quota: -1},
		"guard":    {Guard: 1.1},
		"floors":   {Lanes: map[string]Lane{"a": {Floor: 0.5}, "b": {Floor: 0.5}}},
		"weight":   {Lanes: map[string]Lane{"a": {Weight: -1}}},
		"replicas": {Share: Static{Replicas: -1}},
		"name":     {Share: DNS{}},
	} {
		if g, err := New(c); err == nil {
			g.Close()
			t.Errorf("%s: no error", name)
		}
	}
	_, err := New(Config{Quota: -1, Guard: 2})
	if err == nil || !strings.Contains(err.Error(), "Quota") || !strings.Contains(err.Error(), "Guard") {
		t.Errorf("not all faults are listed: %v", err)
	}
}

// TestChanges checks what an observer is told of a quota that is used up.
func TestChanges(t *testing.T) {
	t.Parallel()
	var got []Why
	bubble(t, Config{Quota: 1000, Observe: func(c Change) { got = append(got, c.Why) }}, func(t *testing.T, g *Gate) {
		for range 3 {
			enter(t, g, 1).Leave(Result{Outcome: Throttled})
		}
		if s := g.State(); s.Phase != Probing {
			t.Errorf("phase: got %s", s.Phase)
		}
		enter(t, g, 1).Leave(Result{Outcome: Accepted})
	})
	if want := []Why{Trickle, Trickle, UsedUp, Back}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestPartReplaced checks that the rate follows the number of replicas, and
// that nothing goes before it is known.
func TestPartReplaced(t *testing.T) {
	t.Parallel()
	share := new(told)
	bubble(t, Config{Share: share}, func(t *testing.T, g *Gate) {
		if got := g.State().Phase; got != Joining {
			t.Errorf("phase: got %s", got)
		}
		start := time.Now()
		var all sync.WaitGroup
		all.Go(func() { enter(t, g, 1) })
		sleep(5 * time.Second)
		share.tell(Part{Replicas: 10})
		all.Wait()
		if got := time.Since(start); got != 5*time.Second {
			t.Errorf("went after %v, want 5s", got)
		}
		all.Go(func() { enter(t, g, 1) }) // after 1 s at a tenth, 100 ms alone
		sleep(500 * time.Millisecond)
		share.tell(Part{Replicas: 1, Scale: 0.5})
		all.Wait()
		if got := time.Since(start).Round(time.Millisecond); got != 5600*time.Millisecond {
			t.Errorf("went after %v, want 5.6s", got)
		}
	})
}

// told is a Share that tells what a test wants.
type told struct{ tell func(Part) }

func (s *told) Run(ctx context.Context, tell func(Part)) error {
	s.tell = tell
	<-ctx.Done()
	return nil
}

func TestSubscription(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := NewSubscription(200, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		for range 3 {
			g, err := New(Config{Quota: 100, Guard: 1, Subscription: s})
			if err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				defer g.Close()
				for {
					p, err := g.Enter(ctx, 1)
					if err != nil {
						used := g.State().Used
						if used < 110 || used > 160 {
							t.Errorf("one of three vaults used %d, want about 133 of 200", used)
						}
						return
					}
					p.Leave(Result{Outcome: Accepted})
				}
			})
		}
		all.Wait()
		if _, err := NewSubscription(-1, 0, 0); err == nil {
			t.Error("a negative quota was taken")
		}
	})
}

// TestManagedHSM checks that a pool is kept busy and not flooded.
func TestManagedHSM(t *testing.T) {
	t.Parallel()
	bubble(t, Config{ManagedHSM: true}, func(t *testing.T, g *Gate) {
		const parallel = 12
		places := make(chan struct{}, parallel)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				for {
					p, err := g.Enter(ctx, 16)
					if err != nil {
						return
					}
					places <- struct{}{}
					sleep(20 * time.Millisecond)
					<-places
					p.Leave(Result{Outcome: Accepted})
				}
			})
		}
		all.Wait()
		s := g.State()
		if most := int64(30 / 0.02 * parallel); s.Accepted < most*9/10 {
			t.Errorf("%d calls were made, the pool could do %d", s.Accepted, most)
		}
		if s.Limit > 3*parallel {
			t.Errorf("%d calls may be in flight at a pool that does %d at once", s.Limit, parallel)
		}
	})
}

// TestPassAllocatesNothing counts allocations of a call that meets no line.
func TestPassAllocatesNothing(t *testing.T) {
	g, err := New(Config{Quota: 1e12})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	ctx := WithCaller(t.Context(), Caller{Job: "job"})
	enter(t, g, 1).Leave(Result{Outcome: Accepted})
	if got := testing.AllocsPerRun(1000, func() {
		if p, err := g.Enter(ctx, 1); err == nil {
			p.Leave(Result{Outcome: Accepted})
		}
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
