package quotabench

import "time"

// slidingLog remembers every call of the last Window.
type slidingLog struct {
	quota   Quota
	charged bool
	entries []entry // oldest first
	used    float64 // their sum
}

type entry struct {
	at   time.Duration
	cost float64
}

// Admit implements Model.
func (l *slidingLog) Admit(at time.Duration, cost float64) (bool, time.Duration) {
	for len(l.entries) > 0 && l.entries[0].at <= at-Window {
		l.used -= l.entries[0].cost
		l.entries = l.entries[1:]
	}
	ok := l.used+cost <= l.quota(at)
	after := time.Second
	if len(l.entries) > 0 {
		after = l.entries[0].at + Window - at
	}
	if ok || l.charged {
		l.entries = append(l.entries, entry{at, cost})
		l.used += cost
	}
	if ok {
		after = 0
	}
	return ok, after
}

// sliced counts in slices of a second and looks at the last ten, the running
// one included.
type sliced struct {
	quota   Quota
	phase   time.Duration
	charged bool
	index   int64 // of the running slice
	used    [10]float64
}

// Admit implements Model.
func (s *sliced) Admit(at time.Duration, cost float64) (bool, time.Duration) {
	since := at + Window - s.phase // never negative
	s.advance(int64(since / time.Second))
	sum := 0.0
	for _, used := range s.used {
		sum += used
	}
	ok := sum+cost <= s.quota(at)
	if ok || s.charged {
		s.used[s.index%int64(len(s.used))] += cost
	}
	if ok {
		return true, 0
	}
	return false, time.Second - since%time.Second
}

// advance empties the slices up to the one at index, which is now running.
func (s *sliced) advance(index int64) {
	size := int64(len(s.used))
	if index-s.index >= size {
		s.index, s.used = index, [10]float64{}
	}
	for s.index < index {
		s.index++
		s.used[s.index%size] = 0
	}
}
