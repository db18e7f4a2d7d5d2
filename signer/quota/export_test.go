package quota

import "math/rand/v2"

// Twin does in Go what the script of a shared store does, with the gate's own
// controller. The test of the script drives both.
type Twin struct {
	control  *controller
	nextFree float64
	credit   float64
	catchUp  float64 // a credit may be used until then
	seen     map[string]float64
	Epoch    uint64
}

// NewTwin returns the twin of a record that was made at a time with a state of
// its random sequence.
func NewTwin(full, guard, wall, now float64, epoch uint64, random float64) *Twin {
	w := &Twin{seen: map[string]float64{}, Epoch: epoch}
	w.control = newController(10, full, guard, wall, rand.New(&minimal{uint64(random)}), func(Why) {})
	w.control.climb = climb{pitch: pitch{step: 0.1, period: 10, lastPeriod: 10, calls: 800}, period: 10}
	w.control.start(now, 1)
	return w
}

// minimal is the generator of Park and Miller, which is exact in floating point.
type minimal struct{ state uint64 }

func (m *minimal) Uint64() uint64 {
	m.state = m.state * 16807 % 2147483647
	return m.state << 22 // the 53 bits that a float takes
}

// Judge takes in the ends of calls.
func (w *Twin) Judge(now float64, done []Done) {
	paused, failedAt := w.control.pause.on, w.control.climb.failedAt
	for _, d := range done {
		sent := now - d.Age.Seconds()
		if d.Epoch < w.Epoch {
			sent = min(sent, max(w.control.since, w.control.climb.failedAt)-1e-6)
		}
		w.judge(now, sent, d)
	}
	if paused == w.control.pause.on && w.control.climb.failedAt <= failedAt {
		return
	}
	w.Epoch++
	w.nextFree, w.catchUp = now-w.credit, 0
	if w.credit > 0 {
		w.catchUp = now + 0.5
	}
	w.credit = 0
	ring := &w.control.sends
	for ring.count > 0 && ring.times[(ring.count-1)%len(ring.times)] > now {
		ring.count--
	}
}

func (w *Twin) judge(now, sent float64, d Done) {
	c := w.control
	switch d.Outcome {
	case Throttled:
		c.throttled(now, sent, d.Cost)
	case Failed:
		c.failed(now, sent)
	default:
		p := c.pause
		c.accepted(now, sent, d.Cost)
		if p.on && !c.pause.on {
			hi := sent + oneWay
			lo := min(p.refused, hi)
			mid := (lo + hi) / 2
			w.credit = 0
			if max(0, mid-p.start) > 0.3 {
				w.credit = max(0, min(0.6, now-max(lo, mid), c.window/(c.scale*c.guard)-c.window-0.05))
			}
		}
	}
}

// Ask judges and grants.
func (w *Twin) Ask(who string, now float64, want []Units, done []Done) Grant {
	w.Judge(now, done)
	w.seen[who] = now
	c := w.control
	c.tick(now)
	g := Grant{Epoch: w.Epoch, Rate: c.rate()}
	switch {
	case !c.pause.on:
		return w.stretch(g, now, want)
	case c.probeIn(now) > 0:
		g.Rate = 0
		return g
	}
	c.sent(now, true)
	g.Units, g.Probe = want[0], true
	return g
}

func (w *Twin) stretch(g Grant, now float64, want []Units) Grant {
	active := 0
	for _, at := range w.seen {
		if at > now-2.5 {
			active++
		}
	}
	room := g.Rate * 0.25 / float64(active)
	start := w.nextFree
	if now >= w.catchUp {
		start = max(now-0.02, start)
	}
	t := start
	for i, cost := range want {
		if i > 0 && float64(g.Units+cost) > room {
			break
		}
		w.control.sent(max(t, now), false)
		t += float64(cost) / g.Rate
		g.Units += cost
	}
	g.After = seconds(start - now)
	w.nextFree = t
	return g
}

// State returns the controller's state by the names of the script's record.
func (w *Twin) State() map[string]float64 {
	c := w.control
	yes := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	state := map[string]float64{
		"scale": c.scale, "boost": c.boost, "boost_at": c.boostAt, "mean": c.mean, "since": c.since,
		"next_free": w.nextFree, "catch_up_until": w.catchUp, "epoch": float64(w.Epoch),
		"pause": yes(c.pause.on), "climb": yes(c.climb.on), "climb_planned": yes(c.climb.planned),
		"climb_at": c.climb.at, "climb_before": c.climb.before, "climb_step": c.climb.step, "climb_failed_at": c.climb.failedAt,
		"boundary_known": yes(c.boundary.known), "boundary_at": c.boundary.at, "boundary_err": c.boundary.err,
	}
	if c.pause.on {
		state["pause_next"], state["pause_start"], state["pause_refused"] = c.pause.next, c.pause.start, c.pause.refused
		state["pause_out"], state["pause_overload"] = yes(c.pause.out), c.pause.overload
	}
	return state
}
