package quota

import "math"

const (
	firstLatency = 0.1 // s, assumed before the first answer
	leastLimit   = 8
	sparePlaces  = 4
	remeasure    = 4000 // answers after which the idle latency is measured anew
	settling     = 128  // answers that this takes
)

// limit says how many calls may be in flight. With a rate it follows Little's
// law: what is sent during a slow answer. Without a rate it grows while more
// calls do not make answers slower, and shrinks when they do.
type limit struct {
	most     int
	rateless bool

	mean, deviation float64 // of the latency, as in RFC 6298 but slower

	// Without a rate:
	places  float64
	idle    float64 // mean latency while nothing queues at the vault
	answers int     // since idle was measured
}

func newLimit(most int, rateless bool) limit {
	return limit{most: most, rateless: rateless, mean: firstLatency, deviation: firstLatency / 4, places: 1}
}

// observe takes in the latency of a call that was answered while as many as
// inFlight, itself included, were out.
func (l *limit) observe(latency float64, inFlight int) {
	l.deviation += (math.Abs(latency-l.mean) - l.deviation) / 32
	l.mean += (latency - l.mean) / 32
	if l.rateless {
		l.adapt(latency, float64(inFlight))
	}
}

// adapt aims at a short queue at the vault: there is always work for it, and
// answers take little longer than they must.
func (l *limit) adapt(latency, inFlight float64) {
	if l.idle == 0 {
		l.mean = latency
	}
	if l.idle == 0 || l.mean < l.idle {
		l.idle = l.mean
	}
	switch l.answers++; {
	case l.answers == remeasure:
		// A queue that is always there would be taken for the vault's own
		// latency, so look at it with half of the calls.
		l.places = max(1, l.places/2)
		return
	case l.answers > remeasure && l.answers < remeasure+settling:
		return
	case l.answers == remeasure+settling:
		l.idle, l.answers = l.mean, 0
	}
	queued := l.places * (1 - l.idle/l.mean)
	switch room := math.Sqrt(l.places); {
	case queued < room && inFlight > l.places/2:
		l.places += 1 / room
	case queued > 2*room:
		l.places -= 1 / room
	}
	l.places = min(float64(l.most), max(1, l.places))
}

// failed gives up room after a call that got no answer, or 429.
func (l *limit) failed() { l.places = max(1, l.places*0.9) }

// at returns the limit for so many calls per second; without a rate they do
// not matter.
func (l *limit) at(calls float64) int {
	if l.rateless {
		return int(l.places)
	}
	places := math.Ceil(calls*(l.mean+4*l.deviation)) + sparePlaces
	return int(min(float64(l.most), max(leastLimit, places)))
}
