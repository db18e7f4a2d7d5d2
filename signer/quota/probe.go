package quota

// probePatience is how long the answer of a probe is waited for before it
// counts as lost, in seconds.
const probePatience = 2

// pause is the time during which the quota is used up. Single calls go then,
// each after the answer of the last.
type pause struct {
	on       bool
	start    float64 // t0: when the vault refused the first call of the run
	refused  float64 // arrival of the last refused call
	gap      float64
	next     float64 // when the next probe may go
	out      bool
	sentAt   float64 // of the probe that is out
	aimed    bool    // a boundary is known, and probes aim at it
	early    bool    // the next probe is one that checks the boundary
	end      float64 // the boundary that is aimed at
	err      float64 // of end
	overload float64
	climbing bool // the run met a climb
}

func (p *pause) sent(now float64) { p.out, p.sentAt = true, now }

func (p *pause) refuse(arrival float64) { p.refused = max(p.refused, arrival) }

// probeIn returns how long the next probe must wait. While one is out, that is
// until it counts as lost.
func (c *controller) probeIn(now float64) float64 {
	if c.pause.out {
		return c.pause.sentAt + probePatience - now
	}
	return max(0, c.pause.next-now)
}

// stop begins a pause.
func (c *controller) stop(now, first, overload float64) {
	c.pause = pause{
		on: true, start: first + oneWay, refused: c.bad[len(c.bad)-1] + oneWay,
		overload: overload, climbing: c.climb.met(now, c.span()),
	}
	c.since, c.bad = now, c.bad[:0]
	c.undo.planned = false
	c.pause.gap = min(0.1+0.02*float64(c.members), c.widestGap())
	c.pause.next = now + c.pause.gap*c.uniform(0.5, 1.5)
	if c.boundary.known {
		c.aim(now)
	}
	c.pause.next = max(c.pause.next, now+0.001) // a probe is sent after the stop
	c.tell(UsedUp)
}

// widestGap between probes grows with the replicas, which all probe.
func (c *controller) widestGap() float64 { return min(2.5, max(0.5, 0.05*float64(c.members))) }

// aim plans probes around the next boundary.
func (c *controller) aim(now float64) {
	p := &c.pause
	p.aimed, p.err = true, c.boundary.err
	p.end = c.boundary.end(p.start, c.window)
	if p.early = p.end-now > 1.5 && c.random.Float64() < 0.1; p.early {
		p.next = now + c.uniform(0.25, 0.75)
		return
	}
	c.aimAtEnd()
}

func (c *controller) aimAtEnd() {
	p := &c.pause
	p.next = p.end - oneWay
	if p.err <= 0.04 {
		p.next += p.err + 0.01
	}
}

// probeRefused plans the next probe after one that was throttled.
func (c *controller) probeRefused(now, sent float64) {
	p := &c.pause
	p.out = false
	past := sent + oneWay - p.end - p.err
	switch {
	case p.aimed && p.early:
		p.early = false
		c.aimAtEnd()
	case p.aimed && past < 0:
		p.next = p.end + p.err + 0.01 - oneWay
	case p.aimed && past < staleAfter:
		p.next = now + c.uniform(0.1, 0.2)
	default:
		if p.aimed {
			p.aimed = false
			c.boundary = boundary{}
		}
		p.gap = min(2*p.gap, c.widestGap())
		p.next = now + p.gap*c.uniform(0.9, 1.1)
	}
}

// probeLost plans the next probe after one that has no answer.
func (c *controller) probeLost(now float64) {
	c.pause.out = false
	c.pause.next = now + c.pause.gap*c.uniform(0.9, 1.1)
}

// resume ends the pause after the success of a call sent in it.
func (c *controller) resume(now, sent float64) {
	p := c.pause
	hi := sent + oneWay
	lo := p.refused
	if c.held > p.start {
		lo = max(lo, c.held-1) // a vault rounds up to whole seconds
	}
	lo = min(lo, hi)
	confirmed := c.boundary.learn(p.start, lo, hi, c.window)
	before := c.scale
	length := max(0, (lo+hi)/2-p.start)
	c.cut(p, length, confirmed)
	c.pause.on, c.since = false, now
	c.boost, c.boostAt = 1, now
	if c.scale < before && now-c.membersAt <= c.window+2 {
		c.undo = undo{planned: true, at: now + 4, scale: before}
	}
	c.planClimb(now)
	c.tell(Back)
}

// cut lowers the scale by what a pause tells.
func (c *controller) cut(p pause, length float64, confirmed bool) {
	w := c.window
	f := min(1-min(length, 0.85*w)/w, 1-p.overload)
	switch {
	case c.birth > p.start-(w-length):
		f = 1 // it did not see the window that was used up
	case confirmed:
		end := c.boundary.near(p.start+length, w)
		f = c.accepts.between(end-w, p.start+0.3) * 0.998 / (w * c.rate())
		f = min(1, max(0.15, f))
	}
	scale := c.scale * f
	if p.climbing {
		if c.climb.on {
			c.endClimb()
		}
		if length < 2.5 && scale < 0.98*c.climb.before {
			scale = min(c.scale, 0.99*c.climb.before)
		}
	}
	c.scale = max(leastScale, scale)
}
