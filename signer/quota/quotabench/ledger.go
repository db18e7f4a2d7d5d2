package quotabench

import (
	"math"
	"slices"
	"sort"
	"time"
)

// Arrival is one call at the vault.
type Arrival struct {
	At       time.Duration // since the start of the run
	Replica  int
	Cost     float64
	Admitted bool
}

// Ledger is what arrived at a vault, in the order of time.
type Ledger []Arrival

// Between returns the arrivals of [from, to).
func (l Ledger) Between(from, to time.Duration) Ledger {
	at := func(t time.Duration) int { return sort.Search(len(l), func(i int) bool { return l[i].At >= t }) }
	lo, hi := at(from), at(to)
	return l[lo:max(lo, hi)]
}

// Accepted returns the admitted units.
func (l Ledger) Accepted() (units float64) {
	for _, a := range l {
		if a.Admitted {
			units += a.Cost
		}
	}
	return units
}

// Refused returns the number of 429s.
func (l Ledger) Refused() (n int) {
	for _, a := range l {
		if !a.Admitted {
			n++
		}
	}
	return n
}

// Throttled returns the share of calls that were refused, in percent.
func (l Ledger) Throttled() float64 {
	if len(l) == 0 {
		return 0
	}
	return 100 * float64(l.Refused()) / float64(len(l))
}

// Goodput returns the units accepted in [from, to) in percent of what the
// quota allowed in that time. The span should be whole windows: bursty
// policies otherwise show up to 2 points more or less.
func (l Ledger) Goodput(quota Quota, from, to time.Duration) float64 {
	return 100 * l.Between(from, to).Accepted() / allowed(quota, from, to)
}

// allowed integrates the quota in steps of 0.1 s.
func allowed(quota Quota, from, to time.Duration) (units float64) {
	const step = 100 * time.Millisecond
	for at := from; at < to; at += step {
		units += quota(at) * float64(min(step, to-at)) / float64(Window)
	}
	return units
}

// Jain returns the median, over consecutive spans in [from, to), of Jain's
// index of the units accepted from each of the replicas: 1 when all got the
// same, 1/n when one got all.
func (l Ledger) Jain(replicas []int, span, from, to time.Duration) float64 {
	var all []float64
	for at := from; at+span <= to; at += span {
		all = append(all, l.Between(at, at+span).fairness(replicas))
	}
	return Median(all)
}

func (l Ledger) fairness(replicas []int) float64 {
	units := map[int]float64{}
	for _, a := range l {
		if a.Admitted {
			units[a.Replica] += a.Cost
		}
	}
	var sum, squares float64
	for _, r := range replicas {
		sum += units[r]
		squares += units[r] * units[r]
	}
	if squares == 0 {
		return 0
	}
	return sum * sum / (float64(len(replicas)) * squares)
}

// Steady returns how long after from the goodput stays above the share, in
// percent, of the quota until to: in every Window, moved by a second. It is
// infinite when the last Window does not.
func (l Ledger) Steady(quota Quota, share float64, from, to time.Duration) time.Duration {
	good := time.Duration(math.MaxInt64)
	for at := to - Window; at >= from; at -= time.Second {
		if l.Goodput(quota, at, at+Window) <= share {
			break
		}
		good = at - from
	}
	return good
}

// Median returns the middle of the values, and NaN of none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
