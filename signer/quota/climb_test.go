package quota

import (
	"testing"
)

// TestClimb: up in steps that double, from a moment that all replicas share.
func TestClimb(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.wall = 7 // the wall clock is 7 s ahead
	r.used(30)
	r.scale = 0.5
	r.back(30.5)
	scale := r.scale
	r.near("begins at a multiple of 20 s, 5 s ahead", r.climb.at, 53, 1e-9)
	r.tick(52.99)
	r.near("before", r.scale, scale, 0)
	now := 53.0
	for _, step := range []float64{0.02, 0.04, 0.08, 0.16, 0.32} {
		before := r.scale
		r.tick(now)
		r.near("a step", r.scale, min(1, before*(1+step)), 1e-9)
		r.tick(now + 10.4)
		r.near("held for less than a window and a half second", r.scale, min(1, before*(1+step)), 1e-9)
		now += 10.5
	}
	r.tick(now)
	r.near("at the top", r.scale, 1, 0)
	if r.climb.on || r.climb.period != 20 {
		t.Errorf("at the top: %+v", r.climb)
	}
}

func climbing(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	r.used(30)
	r.scale = 0.5
	r.back(30.4)
	now := r.quiet(30.5, r.climb.at)
	r.quiet(now, now+11)
	if !r.climb.on || r.climb.step != 0.04 {
		t.Fatalf("no climb: %+v", r.climb)
	}
	return r
}

// TestClimbFails: the first 429 takes the step back, and the next try waits
// twice as long, up to the longest.
func TestClimbFails(t *testing.T) {
	t.Parallel()
	r := climbing(t)
	before := r.climb.before
	r.sent(52, false)
	r.throttled(52, 52, 1)
	r.near("scale", r.scale, before, 1e-9)
	r.near("period", r.climb.period, 40, 0)
	r.near("next", r.climb.at, 80, 0)
	for range 3 {
		r.endClimb()
	}
	r.near("longest period", r.climb.period, 80, 0)
}

// TestFailedClimbExcusesItsCalls: refusals of calls that went at the rate of
// the step cut no further.
func TestFailedClimbExcusesItsCalls(t *testing.T) {
	t.Parallel()
	r := climbing(t)
	before := r.climb.before
	for _, sent := range []float64{51.9, 51.93, 51.96} {
		r.sent(sent, false)
		r.quiet(sent+0.001, sent+0.02)
	}
	for _, sent := range []float64{51.9, 51.93, 51.96} {
		r.throttled(52, sent, 1)
	}
	r.near("scale after the calls of the step", r.scale, before, 1e-3)
	r.sent(52.3, false)
	r.throttled(52.33, 52.3, 1)
	if r.scale > 0.999*before {
		t.Errorf("scale %v after a call at the lower rate, want less than %v", r.scale, before)
	}
}

// TestFailedClimbIsNoNews: a run in a climb that ends soon falls back to just
// below the value before the step, and no further.
func TestFailedClimbIsNoNews(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ pause, factor float64 }{
		"short": {1, 0.99}, "long": {4, 0.6},
	} {
		r := climbing(t)
		before, period := r.climb.before, r.climb.period
		r.used(52)
		r.pause.refused = r.pause.start + c.pause
		r.back(r.pause.start + c.pause - oneWay)
		r.near(name, r.scale, c.factor*before, 0.01*before)
		r.near(name+": period doubles once", r.climb.period, 2*period, 0)
	}
}

func TestBelieve(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.believe(3, 0.25)
	r.near("scale", r.scale, 0.25, 0)
	if !r.climb.planned || r.climb.at != 20 {
		t.Errorf("no climb is planned: %+v", r.climb)
	}
	r.believe(4, 0.001)
	r.near("floor", r.scale, leastScale, 0)
}

// TestClimbOfFewCalls: where calls are few, steps and the time between climbs
// are longer, or every replica would go on without having seen anything.
func TestClimbOfFewCalls(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.setMembers(0, 800) // a call every 4 s
	r.climb.step = 0.02
	r.near("a small step", r.holdTime(), 200, 1e-9)
	r.climb.step = 0.32
	r.near("a large step", r.holdTime(), 80, 1e-9)
	r.near("a period", r.period(20), 160, 1e-9)
	for range 5 {
		r.endClimb()
	}
	r.near("the longest period", r.climb.period, 320, 1e-9)
}
