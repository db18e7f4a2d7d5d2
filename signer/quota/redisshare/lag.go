package redisshare

import "time"

// lagSpan is half of the time over which the least lag is the usual one.
const lagSpan = 2500 * time.Millisecond

// lag tells how much longer than usual answers are on their way. An answer says
// when it was given, by a clock that differs from ours by who knows what: the
// least difference of the last seconds stands for that and for the usual way.
type lag struct {
	zero          time.Time // of our clock
	until         time.Time // the present span ends
	least, before time.Duration
}

// late returns by how much an answer was held up that was given at a time of
// the record, and came now after so long a trip. It is never longer than that,
// whatever the clocks do.
func (l *lag) late(now time.Time, given, trip time.Duration) time.Duration {
	if l.zero.IsZero() {
		l.zero = now
	}
	lag := now.Sub(l.zero) - given
	switch past := now.Sub(l.until); {
	case past >= lagSpan:
		l.least, l.before, l.until = lag, lag, now.Add(lagSpan)
	case past >= 0:
		l.least, l.before, l.until = lag, l.least, now.Add(lagSpan)
	}
	l.least = min(l.least, lag)
	return min(trip, lag-min(l.least, l.before))
}
