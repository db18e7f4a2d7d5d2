package quota

import (
	"math/rand/v2"
	"testing"
)

func TestBoundaryIsLearnt(t *testing.T) {
	t.Parallel()
	type end struct{ start, lo, hi float64 }
	for name, c := range map[string]struct {
		ends  []end
		known bool
		at    float64
		err   float64
	}{
		"one is not enough":       {[]end{{5, 9, 9.2}}, false, 9.1, 0.1},
		"two that agree":          {[]end{{5, 9, 9.2}, {33, 39.1, 39.2}}, true, 39.15, 0.05},
		"the more exact is kept":  {[]end{{5, 9, 9.1}, {33, 38.8, 39.4}}, true, 9.05, 0.05},
		"two that disagree":       {[]end{{5, 9, 9.2}, {13, 15, 15.2}}, false, 15.1, 0.1},
		"the second of two wins":  {[]end{{5, 9, 9.2}, {13, 15, 15.2}, {22, 24.9, 25.3}}, true, 15.1, 0.1},
		"short pauses say little": {[]end{{8.5, 9, 9.2}, {18.5, 19, 19.2}}, false, 0, 0},
		"narrowed":                {[]end{{5, 9, 9.2}, {15, 19, 19.2}, {25, 29.05, 29.15}}, true, 29.1, 0.05},
		"never too exact":         {[]end{{5, 9, 9.2}, {15, 19, 19.2}, {25, 29.1, 29.102}}, true, 29.101, 0.01},
		"moved a little":          {[]end{{5, 9, 9.02}, {15, 19, 19.02}, {25, 29.1, 29.14}}, true, 29.12, 0.02},
		"too early":               {[]end{{5, 9, 9.2}, {15, 19, 19.2}, {25, 27, 27.2}}, false, 27.1, 0.1},
		"too late":                {[]end{{5, 9, 9.2}, {15, 19, 19.2}, {25, 31, 31.2}}, false, 31.1, 0.1},
	} {
		r := newRig(t)
		var b boundary
		for _, e := range c.ends {
			b.learn(e.start, e.lo, e.hi, 10)
		}
		if b.known != c.known {
			t.Errorf("%s: known %v", name, b.known)
		}
		r.near(name+": at", b.at, c.at, 1e-9)
		r.near(name+": err", b.err, c.err, 1e-9)
	}
}

// TestBoundaryAims tells where probes go when the end of the window is known.
func TestBoundaryAims(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.boundary = boundary{candidate: true, known: true, at: 9, err: 0.02}
	r.used(18)
	r.pause.early = false
	r.aimAtEnd()
	r.near("exact: the only probe arrives just after", r.pause.next+oneWay, 19.03, 1e-9)
	r.sent(r.pause.next, true)
	r.throttled(19.04, 19.021, 1)
	if wait := r.probeIn(19.04); wait < 0.1 || wait > 0.2 {
		t.Errorf("after a refusal past the boundary: next probe in %v", wait)
	}

	r = newRig(t)
	r.boundary = boundary{candidate: true, known: true, at: 9, err: 0.1}
	r.used(18)
	r.near("not exact: the first arrives in the middle", r.pause.next+oneWay, 19, 1e-9)
	r.sent(r.pause.next, true)
	r.throttled(19.02, r.pause.sentAt, 1)
	r.near("and the second behind", r.pause.next+oneWay, 19.11, 1e-9)
}

// TestStaleBoundary: a boundary that probes do not confirm is dropped while
// they go on, and they go as if none had been known.
func TestStaleBoundary(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.boundary = boundary{candidate: true, known: true, at: 9, err: 0.02}
	r.used(18)
	probes := 0
	for now := r.pause.next; now < 24; now = r.pause.next {
		r.sent(now, true)
		r.throttled(now+0.02, now, 1)
		probes++
	}
	if r.boundary.known || probes > 20 {
		t.Errorf("known %v after %d probes", r.boundary.known, probes)
	}
}

// TestEarlyProbe: now and then one probe verifies the boundary long before it.
func TestEarlyProbe(t *testing.T) {
	t.Parallel()
	early := 0
	for seed := range uint64(1000) {
		r := newRig(t)
		r.random = rand.New(rand.NewPCG(seed, 0))
		r.boundary = boundary{candidate: true, known: true, at: 9, err: 0.02}
		r.used(15)
		if r.pause.next > 18 {
			continue
		}
		early++
		if wait := r.pause.next - 15.02; wait < 0.25 || wait > 0.75 {
			t.Fatalf("early probe after %v", wait)
		}
		r.sent(r.pause.next, true)
		r.throttled(r.pause.next+0.02, r.pause.sentAt, 1)
		r.near("refused: wait for the boundary", r.pause.next+oneWay, 19.03, 1e-9)
	}
	if early < 70 || early > 130 {
		t.Errorf("%d of 1000 pauses had an early probe, want about 100", early)
	}
}

// TestCutByAccepted: with a boundary that is met, the new rate is what the
// window that was used up did accept.
func TestCutByAccepted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.boundary = boundary{candidate: true, known: true, at: 10, err: 0.02}
	r.quiet(20, 25.5) // 1,100 of the 2,000 that the rate would have sent
	r.used(25.5)
	r.scale = 1
	r.back(30.03 - oneWay)
	r.near("scale", r.scale, 0.55*0.998, 0.012)
	r.near("boundary", r.boundary.at, 30, 0.03)
}

func TestAccepts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var a accepts
	for i := range 10_000 {
		a.add(float64(i)*0.01, 2)
	}
	r.near("a span", a.between(70, 80), 2000, 1e-6)
	r.near("edges count by part", a.between(70.05, 70.15), 20, 1e-6)
	r.near("beyond memory", a.between(0, 10), 0, 0)
	a.add(99, 1)
	a.add(40, 1) // too old to be counted
	r.near("late answers count", a.between(99, 99.1), 21, 1e-6)
}

// TestBoundaryThatIsLate: no window is used up just after its beginning. The
// boundary that seems to be past is still to come, and probes go at once
// instead of in a whole window.
func TestBoundaryThatIsLate(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.boundary = boundary{candidate: true, known: true, at: 9, err: 0.02}
	r.quiet(10, 19.05)
	r.used(19.05)
	if wait := r.pause.next - 19.07; wait > 0.2 {
		t.Errorf("first probe in %v", wait)
	}
	r.scale = 1
	r.back(19.3)
	if r.scale < 0.85 || !r.boundary.known {
		t.Errorf("scale %v, boundary %+v", r.scale, r.boundary)
	}
	r.near("boundary", r.boundary.end(29, 10), 29.2, 0.15)
}
