package quota

import "math"

const (
	lastStep    = 0.5
	climbNotice = 5.0 // s
)

// pitch is how boldly a controller climbs.
type pitch struct {
	step       float64 // the first; each further one is twice as large
	period     float64 // s between climbs; twice as long after each that failed
	lastPeriod float64
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

func (c *climb) fail() {
	c.on, c.planned = false, false
	c.period = min(c.pitch.lastPeriod, 2*c.period)
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
	c.climb.planned = true
	c.climb.at = math.Ceil((c.wall+soon)/c.climb.period)*c.climb.period - c.wall
}

// climbOn begins a climb that is due, or takes the next step of one that held.
func (c *controller) climbOn(now float64) {
	k := &c.climb
	switch {
	case k.on && now >= k.stepAt+c.window+0.5:
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

// climbFailed takes the present step back.
func (c *controller) climbFailed(now float64) {
	c.scale = min(c.scale, c.climb.before)
	c.climb.fail()
	c.climb.failedAt = now
	c.planClimb(now)
	c.tell(ClimbFailed)
}
