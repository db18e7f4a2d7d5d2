package quota

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// scripted is a source of slots that grants what a test wants.
type scripted struct {
	tell   func(Part)
	grants chan Grant // one for each ask
	trip   time.Duration

	mu       sync.Mutex // guards the fields below
	asked    []string
	reported []Done
	ridden   []Done
}

func (s *scripted) Run(ctx context.Context, tell func(Part)) error {
	s.tell = tell
	tell(Part{Replicas: 1, Slots: s, Epoch: 5})
	<-ctx.Done()
	return nil
}

func (s *scripted) Ask(ctx context.Context, want []Units, done []Done) (Grant, error) {
	s.mu.Lock()
	s.asked = append(s.asked, fmt.Sprint(want))
	s.ridden = append(s.ridden, done...)
	s.mu.Unlock()
	if err := rest(ctx, s.trip); err != nil {
		return Grant{}, err
	}
	select {
	case g := <-s.grants:
		if g.Rate == 0 && g.Units > 0 {
			return g, errors.New("no store")
		}
		return g, nil
	case <-ctx.Done():
		return Grant{}, ctx.Err()
	}
}

func (s *scripted) Report(_ context.Context, done []Done) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reported = append(s.reported, done...)
	return nil
}

// slotted runs a test with a gate that gets these grants, one per ask, 10 ms
// after it.
func slotted(t *testing.T, test func(t *testing.T, g *Gate, s *scripted), grants ...Grant) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{grants: make(chan Grant, 100), trip: 10 * time.Millisecond}
		for _, g := range grants {
			s.grants <- g
		}
		g, err := New(Config{Share: s})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		synctest.Wait()
		test(t, g, s)
	})
}

// arrive lets calls of these costs come at once, and returns the time at
// which each went, in their order.
func arrive(t *testing.T, g *Gate, costs ...Units) string {
	t.Helper()
	start := time.Now()
	went := make([]string, len(costs))
	var all sync.WaitGroup
	for i, cost := range costs {
		all.Go(func() {
			p, err := g.Enter(t.Context(), cost)
			if err != nil {
				t.Error(err)
			}
			went[i] = fmt.Sprint(time.Since(start).Milliseconds())
			p.Leave(Result{Outcome: Accepted})
		})
		synctest.Wait()
	}
	all.Wait()
	return strings.Join(went, " ")
}

func TestStretchPacesCalls(t *testing.T) {
	t.Parallel()
	slotted(t, func(t *testing.T, g *Gate, s *scripted) {
		if got, want := arrive(t, g, 2, 4, 2), "60 80 120"; got != want {
			t.Errorf("went at %s ms, want %s", got, want)
		}
		if got, want := strings.Join(s.asked, ""), "[2]"; got != want {
			t.Errorf("asked for %s first, want %s", got, want)
		}
	}, Grant{Epoch: 5, After: 50 * time.Millisecond, Units: 8, Rate: 100})
}

// TestAskNamesWhatWaits: the next ask names all that waits beyond what is in
// hand, and what was accepted rides on it.
func TestAskNamesWhatWaits(t *testing.T) {
	t.Parallel()
	grant := Grant{Epoch: 5, Units: 2, Rate: 100}
	slotted(t, func(t *testing.T, g *Gate, s *scripted) {
		arrive(t, g, 2, 2, 2)
		if got, want := strings.Join(s.asked, ""), "[2][2 2][2]"; got != want {
			t.Errorf("asked for %s, want %s", got, want)
		}
		if len(s.ridden) == 0 || s.ridden[0].Outcome != Accepted || s.ridden[0].Cost != 2 {
			t.Errorf("rode on asks: %+v", s.ridden)
		}
	}, grant, grant, grant)
}

// TestMisfit: light calls pass a heavy one that nothing in hand is enough for,
// and that is asked for at once.
func TestMisfit(t *testing.T) {
	t.Parallel()
	slotted(t, func(t *testing.T, g *Gate, s *scripted) {
		if got, want := arrive(t, g, 16, 1, 1), "20 10 20"; got != want {
			t.Errorf("went at %s ms, want %s", got, want)
		}
	}, Grant{Epoch: 5, Units: 2, Rate: 100}, Grant{Epoch: 5, Units: 16, Rate: 100})
}

func TestEpochVoidsGrants(t *testing.T) {
	t.Parallel()
	slotted(t, func(t *testing.T, g *Gate, s *scripted) {
		time.AfterFunc(50*time.Millisecond, func() { s.tell(Part{Replicas: 1, Slots: s, Epoch: 6}) })
		// Granted for 510 ms, void at 50; an old grant at 60, a new one at 71.
		if got, want := arrive(t, g, 2), "71"; got != want {
			t.Errorf("went at %s ms, want %s", got, want)
		}
		s.tell(Part{Replicas: 1, Slots: s, Epoch: 5})
		if g.stock.epoch != 6 {
			t.Error("an older epoch came back")
		}
	}, Grant{Epoch: 5, After: 500 * time.Millisecond, Units: 2, Rate: 100},
		Grant{Epoch: 5, Units: 2, Rate: 100}, Grant{Epoch: 6, Units: 2, Rate: 100})
}

// TestStaleStretch: units that were granted for a time long past do not come
// on top of what others send now, but for a rest of less than a call.
func TestStaleStretch(t *testing.T) {
	t.Parallel()
	slotted(t, func(t *testing.T, g *Gate, s *scripted) {
		arrive(t, g, 2)
		sleep(5 * time.Second)
		if got, want := arrive(t, g, 2, 2), "10 20"; got != want {
			t.Errorf("went at %s ms, want %s", got, want)
		}
	}, Grant{Epoch: 5, Units: 100, Rate: 100}, Grant{Epoch: 5, Units: 4, Rate: 100})
}

// TestAskFails: an error, a refusal and an ask that hangs do not end the asking.
func TestAskFails(t *testing.T) {
	t.Parallel()
	slotted(t, func(t *testing.T, g *Gate, s *scripted) {
		time.AfterFunc(4*time.Second, func() { s.grants <- Grant{Epoch: 5, Units: 2, Rate: 100} })
		// An error at 10 ms and a pause of 1 s; a refusal for 200 ms; no
		// answer for 2 s and a pause of 1 s; then a grant.
		if got, want := arrive(t, g, 2), "4230"; got != want {
			t.Errorf("went at %s ms, want %s", got, want)
		}
	}, Grant{Units: 1}, Grant{Epoch: 5, Again: 200 * time.Millisecond})
}

// TestReports: refused calls and the ends of probes are reported at once.
func TestReports(t *testing.T) {
	t.Parallel()
	slotted(t, func(t *testing.T, g *Gate, s *scripted) {
		p := enter(t, g, 2)
		sleep(20 * time.Millisecond)
		p.Leave(Result{Outcome: Throttled})
		q := enter(t, g, 3)
		q.Leave(Result{})
		synctest.Wait()
		want := []Done{
			{Result: Result{Outcome: Throttled}, Cost: 2, Epoch: 5, Age: 20 * time.Millisecond},
			{Cost: 3, Epoch: 5, Probe: true},
		}
		if got := s.reported; len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}, Grant{Epoch: 5, Units: 2, Rate: 100}, Grant{Epoch: 5, Units: 2, Rate: 100, Probe: true})
}

// TestSourceTurnsToRate: a source that lost its store tells how many replicas
// there were, and the gate goes on by itself, and by slots again later.
func TestSourceTurnsToRate(t *testing.T) {
	t.Parallel()
	slotted(t, func(t *testing.T, g *Gate, s *scripted) {
		s.tell(Part{Replicas: 10, Scale: 0.5})
		if st := g.State(); st.Replicas != 10 || st.Scale != 0.5 || st.Rate != 0.99*400/20 {
			t.Errorf("state: %+v", st)
		}
		arrive(t, g, 2, 2)
		s.tell(Part{Replicas: 10, Slots: s, Epoch: 7})
		if got, want := arrive(t, g, 2), "10"; got != want {
			t.Errorf("went at %s ms, want %s", got, want)
		}
	}, Grant{Epoch: 7, Units: 2, Rate: 100})
}

// TestDearCallUsesUpStretches: what is left of a stretch is not lost because
// the next call costs more. It waits for its last unit.
func TestDearCallUsesUpStretches(t *testing.T) {
	s := newStock()
	s.add(0, Grant{Units: 10, Rate: 100})
	s.add(0, Grant{Units: 10, Rate: 100, After: time.Second / 5})
	if got := s.wait(0, 16); got != 0.2 {
		t.Errorf("a call of 16 units waits %v s, want 0.2", got)
	}
	if got := s.most(); got != 20 {
		t.Errorf("the dearest call may cost %d, want 20", got)
	}
	s.take(&flight{cost: 16})
	if got := s.left(); got != 4 {
		t.Errorf("%d units are left, want 4", got)
	}
	if got := s.wait(0.2, 2); math.Abs(got-0.06) > 1e-9 {
		t.Errorf("the next call waits %v s, want 0.06", got)
	}
}

// TestRestOfAStretch: it is kept for cheap calls, but not until it is lost.
func TestRestOfAStretch(t *testing.T) {
	s := newStock()
	s.add(0, Grant{Units: 1, Rate: 100})
	s.add(0, Grant{Units: 16, Rate: 100})
	take := func(now float64, cost, left Units) {
		t.Helper()
		if s.wait(now, cost); s.left() < cost {
			t.Fatalf("at %v s no place for a call of %d units", now, cost)
		}
		s.take(&flight{cost: cost, sent: now})
		if got := s.stretches[0].left; got != left {
			t.Errorf("at %v s a call of %d units leaves %d of the first stretch, want %d", now, cost, got, left)
		}
	}
	take(0.005, 2, 1)
	take(0.015, 2, 0)
}

// TestRestIsForWhatWaits: one dear call, such as that for a key whose price is not
// known, does not have late units kept for all the cheap ones that follow.
func TestRestIsForWhatWaits(t *testing.T) {
	t.Parallel()
	slotted(t, func(t *testing.T, g *Gate, _ *scripted) {
		arrive(t, g, 16)
		arrive(t, g, 1)
		g.stock.tidy(g.now() + 1)
		if got := g.stock.left(); got != 0 {
			t.Errorf("%d units are left a second later, want none", got)
		}
	}, Grant{Epoch: 5, Units: 16, Rate: 100}, Grant{Epoch: 5, Units: 50, Rate: 100})
}

// TestLateUnits: what is not used in time is lost, but not before it was
// granted, however long the answer was held up.
func TestLateUnits(t *testing.T) {
	for _, tt := range []struct {
		name  string
		grant Grant
		now   float64
		left  Units
	}{
		{"in time", Grant{Units: 50, Rate: 100}, 0.029, 50},
		{"late", Grant{Units: 50, Rate: 100}, 0.235, 30},
		{"all", Grant{Units: 50, Rate: 100}, 1, 0},
		{"to come", Grant{Units: 50, Rate: 100, After: time.Second}, 0.9, 50},
		{"lost time, caught up", Grant{Units: 50, Rate: 100, After: -time.Second / 2}, 0.029, 50},
		{"lost time, not caught up", Grant{Units: 50, Rate: 100, After: -time.Second / 2}, 0.031, 0},
		{"held up", Grant{Units: 50, Rate: 100, Late: time.Second / 4}, 0, 28},
		{"held up, to come", Grant{Units: 50, Rate: 100, Late: time.Second / 4, After: time.Second / 4}, 0, 50},
		{"a rest for a dear call", Grant{Units: 50, Rate: 100}, 10, 15},
		{"probe", Grant{Units: 50, Rate: 100, Probe: true}, 0.9, 50},
		{"probe that nobody wants", Grant{Units: 50, Rate: 100, Probe: true}, 1.1, 0},
	} {
		s := newStock()
		if strings.Contains(tt.name, "dear") {
			s.dearest = 16
		}
		s.add(0, tt.grant)
		s.tidy(tt.now)
		if got := s.left(); got != tt.left {
			t.Errorf("%s: %d units are left, want %d", tt.name, got, tt.left)
		}
	}
}
