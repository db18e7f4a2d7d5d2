package quotabench

import (
	"math/rand/v2"
	"time"
)

// forever is later than the end of any run.
const forever = 24 * time.Hour

// scenario is what happens in a run, and what is measured of it.
type scenario struct {
	name   string
	end    time.Duration
	factor func(at time.Duration) float64 // of the planned quota; nil: 1
	stints func(k int, random *rand.Rand) []stint
	demand func(replica int) float64 // of an equal share; nil or zero: no limit
	outage [2]time.Duration
	vaults int // zero: one
	judge  func(o outcome) figures
}

// scenarios lists all, in the order of the tables.
func scenarios() []scenario {
	return []scenario{
		steady(120*time.Second, 30), halving(200*time.Second, 300*time.Second, 300*time.Second),
		scaling(), crossTraffic(), skewed(), storeOutage(), crash(), twoVaults(120*time.Second, 30),
	}
}

// steady is a constant fleet, measured after a time to settle.
func steady(settle time.Duration, windows int) scenario {
	span := time.Duration(windows) * Window
	return scenario{name: "steady", end: settle + Window + span, judge: func(o outcome) figures {
		from := o.aligned(settle)
		return o.span(from, from+span).with(o.jain(time.Minute, from, from+span))
	}}
}

// halving cuts the quota in half for a time and says so to nobody. With no
// time after it, the recovery is not measured. Jain's index is that of the
// whole span: shares drift apart and together again over minutes.
func halving(cut, low, high time.Duration) scenario {
	restored := cut + low
	return scenario{name: "halve", end: restored + high, factor: func(at time.Duration) float64 {
		if cut <= at && at < restored {
			return 0.5
		}
		return 1
	}, judge: func(o outcome) figures {
		from := o.aligned(cut + 40*time.Second)
		to := from + (restored - from).Truncate(Window)
		f := o.span(from, to).with(o.jain(to-from, from, to))
		f.refused = float64(o.arrived.Between(cut, cut+30*time.Second).Refused())
		if high > 0 {
			f.settled = o.steady(restored, restored+high)
		}
		return f
	}}
}

// scaling is the fleet of a busy day, in 400 s: 1, 10, 50 and 3 replicas,
// whatever K is. New ones appear spread over 5 s; the oldest leave first.
func scaling() scenario {
	const phase = 100 * time.Second
	return scenario{name: "scale", end: 4 * phase, stints: func(_ int, random *rand.Rand) []stint {
		all := []stint{{0, 3 * phase, false}}
		for i := 1; i < 50; i++ {
			born, dies := phase, 3*phase
			if i >= 10 {
				born = 2 * phase
			}
			if i >= 47 {
				dies = forever
			}
			all = append(all, stint{born + within(random, 5*time.Second), dies, false})
		}
		return all
	}, judge: func(o outcome) figures {
		f := o.span(10*time.Second, 4*phase)
		f.refused = float64(o.arrived.Refused())
		f.settled = 0
		for at := phase; at < 4*phase; at += phase {
			f.settled = max(f.settled, o.steady(at, at+phase))
		}
		return f
	}}
}

// crossTraffic is a foreign client that takes 30 % for half of each 90 s.
func crossTraffic() scenario {
	return scenario{name: "cross", end: 630 * time.Second, factor: func(at time.Duration) float64 {
		if at/(45*time.Second)%2 == 1 {
			return 0.7
		}
		return 1
	}, judge: func(o outcome) figures { return o.span(90*time.Second, 630*time.Second) }}
}

// skewed has every second replica want a fifth of an equal share only.
func skewed() scenario {
	s := steady(120*time.Second, 30)
	s.name = "skew"
	s.demand = func(replica int) float64 { return 0.2 * float64(replica%2) }
	s.judge = func(o outcome) figures {
		from := o.aligned(120 * time.Second)
		return o.span(from, from+300*time.Second)
	}
	return s
}

// storeOutage takes away DNS and the store for a minute, with a fleet that
// stays as it is.
func storeOutage() scenario {
	s := steady(100*time.Second, 18)
	s.name = "outage"
	s.outage = [2]time.Duration{120 * time.Second, 180 * time.Second}
	judge := s.judge
	s.judge = func(o outcome) figures {
		f := judge(o)
		f.refused = float64(o.arrived.Between(120*time.Second, forever).Refused())
		return f
	}
	return s
}

// crash ends a third of the fleet without a word, and brings as many new
// replicas 50 s later.
func crash() scenario {
	const dies, reborn, end = 150 * time.Second, 200 * time.Second, 300 * time.Second
	return scenario{name: "crash", end: end, stints: func(k int, random *rand.Rand) []stint {
		all := together(k, random)
		for i := range (k + 2) / 3 {
			all[i].dies, all[i].crashes = dies, true
			all = append(all, stint{reborn + within(random, 5*time.Second), forever, false})
		}
		return all
	}, judge: func(o outcome) figures {
		f := o.span(dies, end)
		f.refused = float64(o.arrived.Between(dies, end).Refused())
		f.settled = max(o.steady(dies, reborn), o.steady(reborn, end))
		return f
	}}
}

// twoVaults gives every replica work for a second vault with half the quota.
// The figures are the worse of the two.
func twoVaults(settle time.Duration, windows int) scenario {
	s := steady(settle, windows)
	s.name, s.vaults = "vaults", 2
	return s
}

// together starts k replicas within 2 s.
func together(k int, random *rand.Rand) []stint {
	all := make([]stint, k)
	for i := range all {
		all[i] = stint{within(random, 2*time.Second), forever, false}
	}
	return all
}

// within draws a time from 0 up to a bound.
func within(random *rand.Rand, below time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(below)))
}
