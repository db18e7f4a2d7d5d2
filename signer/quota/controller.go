package quota

import "math/rand/v2"

// Constants of the controller. They were found by simulation of windows,
// sliding logs and buckets, with 1 to 50 replicas.
const (
	oneWay      = 0.009 // s from a send to its arrival at the vault
	leastScale  = 0.02
	trickleGain = 0.5   // per s
	trickleGoal = 0.002 // throttled part of the calls that the trickle settles at
	mostBoost   = 64
	runLength   = 3
	longHold    = 1 // s of Retry-After above which a 429 is a run by itself; a vault may round up to that
	meanWeight  = 0.02
)

// controller decides how much of the configured quota it believes in, when
// calls stop, and when one may go to find out whether the quota is back. It
// knows no vault model, starts no goroutine and reads no clock: the gate calls
// it under its lock with the time, which never goes back.
type controller struct {
	window float64 // s
	full   float64 // units per second of the fleet at scale 1
	guard  float64
	wall   float64 // Unix time at time zero
	random *rand.Rand
	tell   func(Why)

	members   int
	membersAt float64 // of the last change
	birth     float64

	scale   float64
	boost   float64
	boostAt float64
	mean    float64 // cost of a call; zero before the first result

	sends   sends
	accepts accepts
	bad     []float64 // send times of the refused calls of the last span, ascending
	since   float64   // calls sent before are judged no more
	held    float64   // when the vault wants calls again; not after now: it did not say

	pause    pause
	boundary boundary
	climb    climb
	undo     undo
}

// undo is a cut that is to be taken back, because newcomers caused it.
type undo struct {
	planned bool
	at      float64
	scale   float64
}

func newController(window, full, guard, wall float64, random *rand.Rand, tell func(Why)) *controller {
	return &controller{
		window: window, full: full, guard: guard, wall: wall, random: random, tell: tell,
		members: 1, membersAt: -10 * window, scale: 1, boost: 1,
		climb: climb{pitch: blindly, period: blindly.period},
	}
}

// rate is what this replica may send, in units per second.
func (c *controller) rate() float64 { return c.scale * c.guard * c.full / float64(c.members) }

// spacing is the time between two sends.
func (c *controller) spacing() float64 { return max(c.mean, 1) / c.rate() }

// gain is the step of the trickle.
func (c *controller) gain() float64 { return min(0.05, trickleGain*c.spacing()) }

// sent is called for each call, before its answer.
func (c *controller) sent(now float64, probe bool) {
	c.sends.add(now)
	if probe {
		c.pause.sent(now)
	}
}

// accepted is called for a call that the vault did not throttle.
func (c *controller) accepted(now, sent float64, cost Units) {
	c.tick(now)
	c.accepts.add(sent+oneWay, cost)
	c.price(cost)
	switch {
	case c.pause.on && sent > c.since:
		c.resume(now, sent)
	case !c.pause.on && sent >= c.since && c.scale < 1:
		c.raise(c.scale * (1 + c.gain()*trickleGoal*c.boost))
	}
}

// throttled is called for a 429.
func (c *controller) throttled(now, sent float64, cost Units) {
	c.tick(now)
	c.price(cost)
	if c.pause.on {
		c.pause.refuse(sent + oneWay)
		if sent > c.since {
			c.probeRefused(now, sent)
		}
		return
	}
	if sent < c.since {
		return
	}
	c.undo.planned = false
	c.addBad(now, sent)
	if c.held > now+longHold {
		c.stop(now, sent, 0)
		return
	}
	if first, overload, ok := c.run(now); ok {
		c.stop(now, first, overload)
		return
	}
	if c.climb.failedAt == 0 || sent > c.climb.failedAt { // no call of a step that was taken back
		c.trickle(now)
	}
}

// failed is called for a call that says nothing about the quota.
func (c *controller) failed(now, sent float64) {
	c.tick(now)
	if c.pause.on && sent > c.since {
		c.probeLost(now)
	}
}

// trickle answers an isolated 429.
func (c *controller) trickle(now float64) {
	c.scale *= 1 - c.gain()
	c.boost, c.boostAt = 1, now
	if c.climb.on {
		c.climbFailed(now)
		return
	}
	c.planClimb(now)
	c.tell(Trickle)
}

// raise sets a scale that is not lower than before.
func (c *controller) raise(scale float64) {
	c.scale = min(1, scale)
	if c.scale == 1 {
		c.climb.reset()
		c.tell(Full)
	}
}

func (c *controller) price(cost Units) {
	if c.mean == 0 {
		c.mean = float64(cost)
	}
	c.mean += meanWeight * (float64(cost) - c.mean)
}

// tick does what is due without a result.
func (c *controller) tick(now float64) {
	if c.pause.on {
		if c.pause.out && now >= c.pause.sentAt+probePatience {
			c.probeLost(now)
		}
		return
	}
	if c.undo.planned && now >= c.undo.at {
		c.undo.planned = false
		c.tell(Undone)
		c.raise(max(c.scale, c.undo.scale))
	}
	if c.scale == 1 {
		return
	}
	if silence := max(c.window+2, 1/trickleGoal*c.spacing()); now >= c.boostAt+silence {
		c.boost, c.boostAt = min(mostBoost, 2*c.boost), now
	}
	c.climbOn(now)
}

// start begins anew: what was learnt before is of another time.
func (c *controller) start(now float64, members int) {
	c.birth, c.since, c.members = now, now, members
	c.pause, c.undo, c.bad = pause{}, undo{}, c.bad[:0]
	c.boostAt = now
}

// believe replaces the scale by what another controller believes.
func (c *controller) believe(now, scale float64) {
	c.scale = min(1, max(leastScale, scale))
	c.boost, c.boostAt = 1, now
	c.climb.reset()
	c.planClimb(now)
}

// setMembers tells how many replicas share the quota from now on.
func (c *controller) setMembers(now float64, n int) {
	if n == c.members {
		return
	}
	if n > c.members && c.scale < 1 {
		// The cut was due to newcomers that were not yet counted.
		c.raise(c.scale * float64(n) / float64(c.members))
	}
	c.members, c.membersAt = n, now
	c.tell(Members)
}

// setFull tells another quota. What a lower scale believed in absolute terms
// stays, as far as the new quota allows it.
func (c *controller) setFull(full float64) {
	if c.scale < 1 {
		c.scale = max(leastScale, min(1, c.scale*c.full/full))
	}
	c.full = full
	c.tell(Requota)
}

// uniform draws evenly from lo to hi.
func (c *controller) uniform(lo, hi float64) float64 { return lo + (hi-lo)*c.random.Float64() }
