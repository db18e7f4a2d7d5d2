package quota

import "math"

const (
	lastStep    = 0.5
	climbNotice = 5.0 // s
	climbCalls  = 20  // own calls that a step takes at least: fewer say nothing
	climbProof  = 1   // own 429s that a step which is too much would meet meanwhile, on the average
)

// pitch is how boldly a controller climbs.
type pitch struct {
	step       float64 // the first; each further one is twice as large
	period     float64 // s between climbs; twice as long after each that failed
	lastPeriod float64 // not above period: it stays
	calls      float64 // between climbs, at least; no fewer than two steps take
}

// blindly is how replicas climb that know nothing of each other: at the same
// moments of the wall clock, and in small steps.
var blindly = pitch{step: 0.02, period: 20, lastPeriod: 80}

// climb is the search for a quota that is higher than what is believed.
type climb struct {
	pitch    pitch
	on       bool
	planned  bool
	at       float64 // when it begins
	period   float64
	before   float64 // scale before the present step
	step     float64
	stepAt   float64
	failedAt float64 // zero: never
}

func (c *climb) reset() { *c = climb{pitch: c.pitch, period: c.pitch.period} }

// endClimb ends a climb that failed. The next waits twice as long, up to a bound.
func (c *controller) endClimb() {
	k := &c.climb
	k.on, k.planned = false, false
	if k.pitch.lastPeriod <= k.pitch.period {
		return
	}
	k.period = min(2*c.period(k.period), max(k.pitch.lastPeriod, 2*c.period(k.pitch.period)))
}

// period is the time between climbs: at least the one given, and longer where
// calls are few. It doubles, so that replicas share moments in any case.
func (c *controller) period(least float64) float64 {
	for least < max(2*climbCalls, c.climb.pitch.calls)*c.spacing() {
		least *= 2
	}
	return least
}

// holdTime is how long a step must hold before the next is taken. Where many
// replicas share the quota, a small step that is too much refuses few calls of
// each: those that took it for a success would go on, twice as far.
func (c *controller) holdTime() float64 {
	return max(c.window+0.5, max(climbCalls, climbProof/c.climb.step)*c.spacing())
}

// met reports whether a run that is declared now was caused by a climb, which
// its first 429 has ended.
func (c *climb) met(now, span float64) bool {
	return c.on || c.failedAt > 0 && now-c.failedAt <= span
}

// planClimb sets the moment at which the next climb begins.
func (c *controller) planClimb(now float64) {
	soon := now + climbNotice
	if c.scale == 1 || c.climb.on || c.climb.planned && c.climb.at >= soon {
		return
	}
	period := c.period(c.climb.period)
	c.climb.planned = true
	c.climb.at = math.Ceil((c.wall+soon)/period)*period - c.wall
}

// climbOn begins a climb that is due, or takes the next step of one that held.
func (c *controller) climbOn(now float64) {
	k := &c.climb
	switch {
	case k.on && now >= k.stepAt+c.holdTime():
		c.climbStep(now, min(lastStep, 2*k.step))
	case !k.on && k.planned && now >= k.at:
		k.on, k.planned = true, false
		c.climbStep(now, k.pitch.step)
	}
}

func (c *controller) climbStep(now, step float64) {
	c.climb.before, c.climb.step, c.climb.stepAt = c.scale, step, now
	c.tell(Climb)
	c.raise(c.scale * (1 + step))
}

// climbFailed takes the present step back. That answers all refusals of calls
// which went at its rate, too.
func (c *controller) climbFailed(now float64) {
	c.scale = min(c.scale, c.climb.before)
	c.endClimb()
	c.climb.failedAt = now
	c.planClimb(now)
	c.tell(ClimbFailed)
}
