package quota

import "sort"

// sends remembers when the last calls were sent. A controller that judged by
// answers seen would take a pause for an overload: refusals come back sooner
// than successes.
type sends struct {
	times [4096]float64 // a ring
	count int           // of all calls ever
}

func (s *sends) add(t float64) {
	s.times[s.count%len(s.times)] = t
	s.count++
}

// between counts the calls sent at a or later and not after b.
func (s *sends) between(a, b float64) int {
	return s.search(func(t float64) bool { return t > b }) - s.search(func(t float64) bool { return t >= a })
}

// before counts the calls sent at a or later and before b.
func (s *sends) before(a, b float64) int {
	return s.search(func(t float64) bool { return t >= b }) - s.search(func(t float64) bool { return t >= a })
}

// search returns the index of the first remembered call for which f holds.
func (s *sends) search(f func(float64) bool) int {
	n := min(s.count, len(s.times))
	oldest := s.count - n
	return sort.Search(n, func(i int) bool { return f(s.times[(oldest+i)%len(s.times)]) })
}

// bucket is the grain of what is remembered of accepted units, in seconds.
const bucket = 0.1

// accepts remembers the units accepted in each of the last buckets.
type accepts struct {
	units [512]float64 // a ring
	last  int          // number of the newest bucket
}

func (a *accepts) add(t float64, cost Units) {
	n := int(t / bucket)
	if n > a.last {
		for i := max(a.last+1, n-len(a.units)+1); i <= n; i++ {
			a.units[i%len(a.units)] = 0
		}
		a.last = n
	}
	if n > a.last-len(a.units) {
		a.units[n%len(a.units)] += float64(cost)
	}
}

// between sums up what arrived from t1 to t2. Buckets at the edges count by
// the part that lies inside.
func (a *accepts) between(t1, t2 float64) float64 {
	sum := 0.0
	for n := max(int(t1/bucket), a.last-len(a.units)+1, 0); n <= min(int(t2/bucket), a.last); n++ {
		start := float64(n) * bucket
		inside := min(t2, start+bucket) - max(t1, start)
		sum += a.units[n%len(a.units)] * inside / bucket
	}
	return sum
}
