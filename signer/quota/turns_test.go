package quota

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// line adds waiters and takes them out again, and returns the order.
type line struct {
	*turns
	names map[*waiter]string
}

func newLine(lanes map[string]Lane) line { return line{newTurns(lanes), map[*waiter]string{}} }

func (l line) put(lane, job string, cost Units) *waiter {
	w := &waiter{cost: cost}
	l.add(w, Caller{Job: job, Lane: lane})
	l.names[w] = job
	return w
}

func (l line) get(n int) string {
	var order []string
	for range n {
		w := l.next(0, math.MaxInt)
		if w == nil {
			break
		}
		l.take(w)
		order = append(order, l.names[w])
	}
	return strings.Join(order, " ")
}

func TestTurnsOfJobs(t *testing.T) {
	t.Parallel()
	l := newLine(nil)
	for range 4 {
		l.put("", "a", 1)
	}
	l.put("", "b", 1)
	l.put("", "c", 1)
	l.put("", "c", 1)
	if got, want := l.get(9), "a b c a c a a"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestTurnsOfOneAtATime checks that a job that always comes back at once does
// not go first each time.
func TestTurnsOfOneAtATime(t *testing.T) {
	t.Parallel()
	l := newLine(nil)
	for range 100 {
		l.put("", "many", 1)
	}
	count := map[string]int{}
	l.put("", "one", 1)
	for range 60 {
		name := l.get(1)
		count[name]++
		if name == "one" {
			l.put("", "one", 1)
		}
	}
	if got := count["one"]; got < 29 || got > 31 {
		t.Errorf("the job with one call at a time had %d of 60 turns, want half", got)
	}
}

// TestTurnsByUnits checks that a job of light calls does not wait behind one
// of heavy calls: both get the same units.
func TestTurnsByUnits(t *testing.T) {
	t.Parallel()
	l := newLine(nil)
	for range 200 {
		l.put("", "light", 1)
		l.put("", "heavy", 16)
	}
	if got := strings.Count(l.get(85), "heavy"); got < 5 || got > 6 {
		t.Errorf("heavy calls among the first 85: got %d, want 5", got)
	}
}

func TestTurnsOfLanes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lanes map[string]Lane
		want  string // of 100 turns, lanes "", bulk, express
	}{
		"equal":           {map[string]Lane{"bulk": {}, "express": {}}, "34 33 33"},
		"weights":         {map[string]Lane{"": {Weight: 2}, "bulk": {}, "express": {Weight: 7}}, "20 10 70"},
		"a floor":         {map[string]Lane{"bulk": {Floor: 0.2}, "express": {Weight: 98}}, "1 20 79"},
		"floors for more": {map[string]Lane{"bulk": {Floor: 0.4}, "express": {Weight: 8, Floor: 0.4}}, "7 40 53"},
	} {
		l := newLine(c.lanes)
		for range 200 {
			l.put("", "default", 1)
			l.put("bulk", "bulk", 1)
			l.put("express", "express", 1)
		}
		order := l.get(100)
		got := fmt.Sprint(strings.Count(order, "default"), strings.Count(order, "bulk"), strings.Count(order, "express"))
		if got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// TestIdleLane checks that a lane saves nothing up while it has no work, and
// that an unknown lane is the one without a name.
func TestIdleLane(t *testing.T) {
	t.Parallel()
	l := newLine(map[string]Lane{"bulk": {}})
	for range 100 {
		l.put("bulk", "bulk", 1)
	}
	l.get(50)
	for range 20 {
		l.put("no such lane", "other", 1)
	}
	if got := strings.Count(l.get(20), "other"); got < 10 || got > 11 {
		t.Errorf("the lane that came late had %d of 20 turns, want 10", got)
	}
}

func TestRetriesGoFirst(t *testing.T) {
	t.Parallel()
	l := newLine(map[string]Lane{"bulk": {}})
	for range 3 {
		l.put("", "a", 1)
		l.put("bulk", "b", 1)
	}
	w := &waiter{cost: 1, retry: true, notBefore: 5}
	l.add(w, Caller{Job: "retry"})
	l.names[w] = "retry"
	if got, want := l.get(2), "a b"; got != want {
		t.Errorf("before it is due: got %s, want %s", got, want)
	}
	if got := l.due(0); got != 5 {
		t.Errorf("due: got %v, want 5", got)
	}
	if got := l.due(5); !math.IsInf(got, 1) {
		t.Errorf("a retry that is due is waited for until %v", got)
	}
	if got := l.next(5, math.MaxInt); got != w {
		t.Errorf("a retry that is due does not go first")
	}
	l.remove(w)
	if got, want := l.get(9), "a b a b"; got != want {
		t.Errorf("after it gave up: got %s, want %s", got, want)
	}
}

func TestTurnsThatFit(t *testing.T) {
	t.Parallel()
	l := newLine(nil)
	heavy := l.put("", "a", 16)
	light := l.put("", "b", 2)
	if got := l.next(0, 1); got != nil {
		t.Errorf("nothing fits, and %q may go", l.names[got])
	}
	if got := l.next(0, 15); got != light {
		t.Errorf("the light call does not pass the heavy one that does not fit")
	}
	if got := l.next(0, 16); got != heavy {
		t.Errorf("the heavy call fits and does not go first")
	}
	if got, want := fmt.Sprint(l.costs(0, 9), l.costs(16, 9), l.costs(18, 9), l.costs(0, 1)), "[16 2] [2] [] [16]"; got != want {
		t.Errorf("costs that wait: got %s, want %s", got, want)
	}
}

// TestAhead compares the estimate with what really goes first.
func TestAhead(t *testing.T) {
	t.Parallel()
	lanes := map[string]Lane{"bulk": {Weight: 3}}
	for name, c := range map[string]struct{ own, others, bulk int }{
		"nobody": {0, 0, 0}, "own only": {7, 0, 0}, "one other": {0, 50, 0}, "both": {5, 50, 0},
		"short other": {20, 3, 0}, "another lane": {4, 0, 100}, "all": {10, 30, 100},
	} {
		l := newLine(lanes)
		for range c.own {
			l.put("", "own", 1)
		}
		for range c.others {
			l.put("", "other", 1)
		}
		for range c.bulk {
			l.put("bulk", "bulk", 1)
		}
		got := l.ahead(Caller{Job: "own"}, 1)
		last := l.put("", "own", 1)
		want := 0
		for w := l.next(0, math.MaxInt); w != last; w = l.next(0, math.MaxInt) {
			l.take(w)
			want++
		}
		if got > float64(want)+1e-9 || got < float64(want)-4 {
			t.Errorf("%s: got %v, want at most %d and not much less", name, got, want)
		}
	}
}

// TestTurnsForget checks that jobs that are done leave nothing behind.
func TestTurnsForget(t *testing.T) {
	t.Parallel()
	l := newLine(nil)
	for i := range 10_000 {
		l.put("", fmt.Sprint("job", i), 1)
		l.put("", fmt.Sprint("job", i), 1)
		l.get(2)
	}
	if got := len(l.lanes[""].jobs); got > 200 {
		t.Errorf("%d jobs are remembered", got)
	}
}
