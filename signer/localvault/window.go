package localvault

import "time"

// window counts units against a limit. Its meter's lock guards it.
type window struct {
	limit int
	span  time.Duration
	shape Shape
	start time.Time // of the running fixed window
	used  int
	spent []expense // of a sliding window, oldest first; used is their sum
}

type expense struct {
	at   time.Time
	cost int
}

// maxExpenses bounds the memory of a sliding window. Beyond it the newest
// entries are joined, which can only make the window stricter.
const maxExpenses = 1 << 16

// take charges the cost if the limit allows it. A refused cost is charged too
// if refusals count.
func (w *window) take(now time.Time, cost int, countRefused bool) bool {
	w.forget(now)
	allowed := w.used+cost <= w.limit
	if allowed || countRefused {
		w.add(now, cost)
	}
	return allowed
}

// forget drops what lies outside the window.
func (w *window) forget(now time.Time) {
	if w.shape == FixedWindow {
		if age := now.Sub(w.start); age >= w.span {
			w.start = now.Add(-(age % w.span))
			w.used = 0
		}
		return
	}
	for len(w.spent) > 0 && now.Sub(w.spent[0].at) >= w.span {
		w.used -= w.spent[0].cost
		w.spent = w.spent[1:]
	}
}

func (w *window) add(now time.Time, cost int) {
	w.used += cost
	if w.shape == FixedWindow {
		return
	}
	if n := len(w.spent); n > 0 && (n >= maxExpenses || w.spent[n-1].at.Equal(now)) {
		w.spent[n-1] = expense{now, w.spent[n-1].cost + cost}
		return
	}
	w.spent = append(w.spent, expense{now, cost})
}
