package quota

import "slices"

// span is how far back refused calls are remembered.
func (c *controller) span() float64 { return max(1, 8*c.spacing()) }

// addBad remembers a refused call by the time it was sent.
func (c *controller) addBad(now, sent float64) {
	i, _ := slices.BinarySearch(c.bad, sent)
	c.bad = slices.Insert(c.bad, i, sent)
	old := now - c.span()
	for len(c.bad) > 0 && c.bad[0] < old {
		c.bad = slices.Delete(c.bad, 0, 1)
	}
}

// run reports whether the quota is used up, judged against the calls sent. It
// returns the send time of the first refused call of the run, and the part of
// the calls that was throttled before, as far as it can be known.
func (c *controller) run(now float64) (first, overload float64, ok bool) {
	n, span := len(c.bad), c.span()
	if n >= runLength {
		last := c.bad[n-1]
		mostly := func(i int) bool { return float64(n-i) >= 0.75*float64(c.sends.between(c.bad[i], last)) }
		if i := n - runLength; mostly(i) {
			for i > 0 && mostly(i-1) {
				i--
			}
			return c.bad[i], c.overload(c.bad[i], now), true
		}
	}
	if n >= 5 && float64(n) > 0.25*float64(c.sends.between(now-span, now)) {
		return c.bad[0], c.overload(c.bad[0], now), true
	}
	return 0, 0, false
}

// overload estimates which part of the calls was throttled all along before a
// run. A small sample means nothing.
func (c *controller) overload(first, now float64) float64 {
	const most = 0.6
	span := c.span()
	bad := len(c.bad)
	if first == c.bad[0] {
		share := float64(bad) / float64(max(1, c.sends.between(now-span, now)))
		if share >= 0.25 && share <= 0.9 {
			return min(most, share)
		}
	}
	pre := c.sends.before(first-span, first)
	preBad, _ := slices.BinarySearch(c.bad, first)
	if pre+bad < 8 || preBad < 2 {
		return 0
	}
	return min(most, float64(preBad+min(bad-preBad, 2))/float64(pre+2))
}
