package quota

import "math"

const (
	firstLatency = 0.1 // s, assumed before the first answer
	leastLimit   = 8
	sparePlaces  = 4
)

// limit says how many calls may be in flight. With a rate it follows Little's
// law: what is sent during a slow answer. Without a rate it grows while more
// calls do not make answers slower, and shrinks when they do.
type limit struct {
	most     int
	rateless bool

	mean, deviation float64 // of the latency, as in RFC 6298
	base            float64 // latency of an idle vault, as far as it was seen
	places          float64 // without a rate
}

func newLimit(most int, rateless bool) limit {
	return limit{most: most, rateless: rateless, mean: firstLatency, deviation: firstLatency / 4, places: leastLimit}
}

// observe takes in the latency of a call that was answered while as many as
// inFlight, itself included, were out.
func (l *limit) observe(latency float64, inFlight int) {
	l.deviation += (math.Abs(latency-l.mean) - l.deviation) / 32
	l.mean += (latency - l.mean) / 32
	if !l.rateless {
		return
	}
	switch {
	case l.base == 0 || latency < l.base:
		l.base = latency
	default: // forget slowly, for the vault or the way to it may have changed
		l.base += (latency - l.base) / 4096
	}
	queued := l.places * (1 - l.base/l.mean)
	switch room := math.Sqrt(l.places); {
	case queued < 2*room && float64(inFlight) > l.places/2:
		l.places += 1 / room
	case queued > 4*room:
		l.places -= 1 / room
	}
	l.places = min(float64(l.most), max(1, l.places))
}

// failed makes room after a call that got no answer.
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
