package quota

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// rig is a controller of 200 calls of one unit per second, and what it told.
type rig struct {
	*controller
	t    *testing.T
	told []Why
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t}
	r.controller = newController(10, 200, 1, 0, rand.New(rand.NewPCG(1, 2)), func(w Why) { r.told = append(r.told, w) })
	r.mean = 1
	r.birth = -100
	return r
}

// quiet sends calls from now on, all accepted after 90 ms, until then.
func (r *rig) quiet(now, until float64) float64 {
	for ; now < until; now += r.spacing() {
		r.sent(now, false)
		r.accepted(now, now-0.09, 1)
	}
	return now
}

// used sends three calls that are refused at once, which is a run.
func (r *rig) used(now float64) {
	r.t.Helper()
	for i := range 3 {
		r.sent(now+float64(i)*0.005, false)
	}
	for i := range 3 {
		r.throttled(now+0.02, now+float64(i)*0.005, 1)
	}
	if !r.pause.on {
		r.t.Fatal("three refusals in a row did not stop the calls")
	}
}

// TestLongRetryAfter: a vault that says how long its quota is used up needs not
// say it three times. Each replica would meet one 429 in each window else, for
// as long as many small cuts take.
func TestLongRetryAfter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		after, scale float64
		phase        bool
	}{{0.5, 1 - trickleGain/200, false}, {1, 1 - trickleGain/200, false}, {4.5, 0.6, true}} {
		r := newRig(t)
		r.used(5) // so that it saw the window
		r.back(5.1)
		r.scale = 1
		now := r.quiet(5.2, 20)
		r.held = now + 0.02 + tt.after
		r.sent(now, false)
		r.throttled(now+0.02, now, 1)
		if r.pause.on != tt.phase {
			t.Errorf("after %v s: a pause is %v", tt.after, r.pause.on)
		}
		if tt.phase {
			r.back(r.held)
		}
		r.near("scale", r.scale, tt.scale, 0.01)
	}
}

// back lets a probe succeed that is sent at now, as late as a probe may be.
func (r *rig) back(now float64) {
	r.sent(now, true)
	r.accepted(now+0.09, now, 1)
}

func (r *rig) near(what string, got, want, tolerance float64) {
	r.t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		r.t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestTrickle(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.quiet(0, 1)
	r.near("scale without 429s", r.scale, 1, 0)
	r.sent(1, false)
	r.throttled(1.02, 1, 1)
	r.near("after one 429", r.scale, 1-0.5/200, 1e-9)
	before := r.scale
	for i := range 500 { // one in 500 is the goal
		now := 2 + float64(i)*0.005
		r.sent(now, false)
		r.accepted(now, now, 1)
	}
	r.near("after 500 calls more", r.scale, before*(1+0.5/200), 2e-5)
}

func TestTrickleOfFewCalls(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.setMembers(0, 200) // one call per second
	r.sent(1, false)
	r.throttled(1.02, 1, 1)
	r.near("the largest step", r.scale, 0.95, 1e-9)
}

func TestBoost(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sent(1, false)
	r.throttled(1, 1, 1)
	r.climb.planned = false
	for _, c := range []struct{ now, boost float64 }{{12.9, 1}, {13, 2}, {24.9, 2}, {25, 4}, {37, 8}, {49, 16}, {61, 32}, {73, 64}, {99, 64}} {
		r.tick(c.now)
		r.near("boost", r.boost, c.boost, 0)
	}
	r.sent(100, false)
	r.throttled(100, 100, 1)
	r.near("boost after another 429", r.boost, 1, 0)
}

// TestRun tells which refused calls, among calls that are 5 ms apart, show a
// quota that is used up: x is refused, - is not, or not yet.
func TestRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		calls string
		first int // call that begins the run; -1: no run
	}{
		"two":                     {"----------------------------------------xx", -1},
		"three in a row":          {"----------------------------------------xxx", 40},
		"three of four":           {"----------------------------------------xx-x", 40},
		"three of five":           {"----------------------------------------x-x-x", -1},
		"far apart":               {"x-------------x-------------x-------------x", -1},
		"a quarter of few":        {"-x-x---x-x---x", 1},
		"one in four of more":     {"x---x---x---x---x---", 0},
		"one in five":             {"x----x----x----x----x----x", -1},
		"a run after two strays":  {"x-------x-------------------------------xxx", 40},
		"a run with one in front": {"-----------------------------------x-x-xxx", 37},
	} {
		r := newRig(t)
		first := -1
		for i, call := range c.calls {
			now := 5 + float64(i)*0.005
			r.sent(now, false)
			if call == 'x' && !r.pause.on {
				r.throttled(now, now, 1)
				if r.pause.on {
					first = int(math.Round((r.pause.start - oneWay - 5) / 0.005))
				}
			}
		}
		if first != c.first {
			t.Errorf("%s: got %d, want %d", name, first, c.first)
		}
	}
}

// TestRunJudgesBySends: refusals overtake successes. Of 30 calls out, three
// far apart are refused and answered first; that is no run.
func TestRunJudgesBySends(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 30 {
		r.sent(5+float64(i)*0.005, false)
	}
	for _, i := range []int{20, 3, 11} { // in any order
		r.throttled(5.2, 5+float64(i)*0.005, 1)
	}
	if r.pause.on {
		t.Error("answers that came first were taken for all answers")
	}
}

func TestOldRefusalsAreForgotten(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, now := range []float64{1, 2.1, 3.2, 4.3, 5.4, 6.5} {
		r.sent(now, false)
		r.throttled(now, now, 1)
	}
	if r.pause.on || len(r.bad) != 1 {
		t.Errorf("pause %v with %d refusals remembered", r.pause.on, len(r.bad))
	}
}

// TestLateAnswers: calls in flight when a pause begins or ends still come back
// throttled. They must not cut again, but they move the last refusal.
func TestLateAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.quiet(0, 5)
	for i := range 20 {
		r.sent(5+float64(i)*0.005, false)
	}
	for i := range 20 {
		r.throttled(5.02+float64(i)*0.005, 5+float64(i)*0.005, 1)
	}
	r.accepted(5.13, 5-0.01, 1) // sent before the pause
	if !r.pause.on {
		t.Error("a late success ended the pause")
	}
	r.near("last refusal", r.pause.refused, 5+19*0.005+oneWay, 1e-9)
	if got := slices.Index(r.told, UsedUp); got < 0 || slices.Contains(r.told[got+1:], UsedUp) {
		t.Errorf("told %q", r.told)
	}
	r.back(6)
	scale := r.scale
	r.throttled(6.2, 5.099, 1) // sent before the pause
	r.throttled(6.2, 6, 1)     // sent in it
	r.throttled(6.2, 6.05, 1)
	r.near("scale after late answers", r.scale, scale, 0)
}

func TestProbesGoOneAtATime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.used(5)
	now, gap := r.pause.next, 0.12
	if wait := now - 5.02; wait < 0.06 || wait > 0.18 {
		t.Errorf("first probe after %v", wait)
	}
	for range 8 {
		r.near("probe is due", r.probeIn(now), 0, 1e-9)
		r.sent(now, true)
		r.near("while one is out", r.probeIn(now), probePatience, 1e-9)
		r.throttled(now+0.02, now, 1)
		gap = min(0.5, 2*gap)
		if wait := r.probeIn(now + 0.02); wait < 0.9*gap || wait > 1.1*gap {
			t.Errorf("next probe after %v, want about %v", wait, gap)
		}
		now = r.pause.next
	}
}

// TestWidestGap: all replicas probe, so each probes less.
func TestWidestGap(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]float64{1: 0.5, 10: 0.5, 20: 1, 50: 2.5, 1000: 2.5} {
		r := newRig(t)
		r.members = n
		r.near("widest gap", r.widestGap(), want, 1e-9)
	}
}

// TestLostProbe: a probe that never comes back, or that fails, must not stop
// the calls for good.
func TestLostProbe(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.used(5)
	r.sent(6, true)
	r.tick(7.9)
	if !r.pause.out {
		t.Error("given up too early")
	}
	r.tick(8)
	if r.pause.out || r.probeIn(8) > 0.6 {
		t.Errorf("a lost probe: still out %v, next in %v", r.pause.out, r.probeIn(8))
	}
	r.sent(9, true)
	r.failed(9.5, 9)
	if r.pause.out || r.probeIn(9.5) > 0.6 {
		t.Errorf("a failed probe: still out %v, next in %v", r.pause.out, r.probeIn(9.5))
	}
	r.accepted(9.6, 6, 1) // the lost one, late
	if r.pause.on {
		t.Error("the success of a probe that was given up does not count")
	}
}

func TestEndOfPause(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refused, success float64 // arrival of the last refusal and of the success, after the first refusal
		birth            float64 // before the first refusal
		overload         float64
		want             float64
	}{
		"two seconds":                   {1.5, 2.5, 100, 0, 0.8},
		"five seconds":                  {4.9, 5.1, 100, 0, 0.5},
		"a whole window is bounded":     {9.9, 10.1, 100, 0, 0.15},
		"overload weighs more":          {0.9, 1.1, 100, 0.4, 0.6},
		"overload weighs less":          {4.9, 5.1, 100, 0.4, 0.5},
		"born inside the window":        {4.9, 5.1, 4.9, 0, 1},
		"born just before it":           {4.9, 5.1, 5.1, 0, 0.5},
		"the refusal after the success": {3, 2, 100, 0, 0.8},
	} {
		r := newRig(t)
		r.quiet(20, 30)
		r.used(30)
		t0 := r.pause.start
		r.birth = t0 - c.birth
		r.pause.refused, r.pause.overload = t0+c.refused, c.overload
		r.scale = 1
		r.back(t0 + c.success - oneWay)
		r.near(name, r.scale, c.want, 1e-9)
	}
}

func TestOverload(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		calls string
		want  float64
	}{
		"no earlier refusals":   {"--------------------xxx", 0},
		"one stray":             {"-----x--------------xxx", 0},
		"three strays":          {"-----x---x----x-----xxx", 5.0 / 22},
		"too few calls to tell": {"x---xxx", 0},
		"a third all along":     {"x--x--x--x--x", 5.0 / 13},
	} {
		r := newRig(t)
		for i, call := range c.calls {
			now := 5 + float64(i)*0.005
			r.sent(now, false)
			if call == 'x' && !r.pause.on {
				r.throttled(now, now, 1)
			}
		}
		if !r.pause.on {
			t.Fatalf("%s: no run", name)
		}
		r.near(name, r.pause.overload, c.want, 1e-9)
	}
}

func TestFloor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.scale = 0.03
	r.used(5)
	r.back(14)
	r.near("scale", r.scale, leastScale, 0)
}

// TestRetryAfterSharpensThePause: without probes in a pause its end is known
// from what the vault said.
func TestRetryAfterSharpensThePause(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.used(5)
	r.scale = 1
	r.held = r.pause.start + 6
	r.back(r.pause.start + 6 - oneWay)
	r.near("scale", r.scale, 1-0.55, 1e-9)
}

func TestMembers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.setMembers(0, 4)
	r.near("rate of one of four", r.rate(), 50, 1e-9)
	r.scale = 0.4
	r.setMembers(20, 8)
	r.near("more: the cut was theirs", r.scale, 0.8, 1e-9)
	r.setMembers(40, 2)
	r.near("fewer", r.scale, 0.8, 1e-9)
	r.setMembers(60, 100)
	r.near("never above the quota", r.scale, 1, 0)
}

// TestUndo: a cut soon after a change of the replicas is taken back.
func TestUndo(t *testing.T) {
	t.Parallel()
	cut := func(t *testing.T, changed float64) *rig {
		r := newRig(t)
		r.setMembers(changed, 2)
		r.quiet(changed, 30)
		r.used(30)
		r.scale = 1
		r.back(33)
		if r.scale > 0.9 {
			t.Fatalf("no cut: %v", r.scale)
		}
		return r
	}
	r := cut(t, 25)
	r.tick(37)
	r.near("3.9 s after the cut", r.scale, 0.85, 0.05)
	r.tick(37.1)
	r.near("4 s after the cut", r.scale, 1, 0)
	r = cut(t, 25)
	r.sent(34, false)
	r.throttled(34, 34, 1)
	r.tick(37.1)
	r.near("with another 429", r.scale, 0.85, 0.05)
	r = cut(t, 10)
	r.tick(37.1)
	r.near("long after the change", r.scale, 0.85, 0.05)
}

func TestRequota(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.setFull(100)
	r.near("at full scale", r.scale, 1, 0)
	r.scale = 0.5
	r.setFull(200)
	r.near("twice the quota", r.scale, 0.25, 1e-9)
	r.setFull(40)
	r.near("less than was believed", r.scale, 1, 0)
}
