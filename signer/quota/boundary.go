package quota

import "math"

// A boundary that is off by more than this is no longer believed, in seconds:
// a success comes early by earlyAfter, or late by staleAfter.
const (
	earlyAfter = 0.3
	staleAfter = 0.5
	leastErr   = 0.01
)

// boundary is what is known about the moments at which windows begin anew. A
// vault that is no window has none; then candidates disagree.
type boundary struct {
	candidate bool
	known     bool
	at        float64
	err       float64
}

// after returns the first predicted boundary after t.
func (b *boundary) after(t, window float64) float64 {
	return b.at + math.Ceil((t-b.at)/window)*window
}

// end returns the predicted boundary that a pause waits for which began at
// start. No window is used up just after its beginning: then the boundary that
// seems to be past is still to come.
func (b *boundary) end(start, window float64) float64 {
	next := b.after(start+0.02, window)
	if last := next - window; last >= start-b.err-staleAfter {
		return last
	}
	return next
}

// near returns the predicted boundary that is nearest to t.
func (b *boundary) near(t, window float64) float64 {
	return b.at + math.Round((t-b.at)/window)*window
}

// learn takes in a pause that began at start and ended between lo and hi. It
// reports whether a boundary that was known was met.
func (b *boundary) learn(start, lo, hi, window float64) (met bool) {
	mid, err := (lo+hi)/2, (hi-lo)/2
	if b.known {
		end := b.end(start, window)
		if hi >= end-b.err-earlyAfter && hi <= end+b.err+staleAfter {
			b.narrow(end, lo, hi)
			return true
		}
		*b = boundary{}
	}
	if mid-start > 0.12*window {
		b.propose(mid, err, window)
	}
	return false
}

// narrow keeps the part of the interval that the pause allows.
func (b *boundary) narrow(end, lo, hi float64) {
	l, h := max(lo, end-b.err), min(hi, end+b.err)
	if l > h { // it moved a little: go with it
		l, h = lo, hi
	}
	b.at, b.err = (l+h)/2, max(leastErr, (h-l)/2)
}

// propose compares a candidate with the one before. Two that agree make a
// known boundary; one that disagrees starts over.
func (b *boundary) propose(at, err, window float64) {
	if b.candidate && math.Abs(at-b.near(at, window)) < err+b.err+0.1 {
		b.known = true
		if b.err < err {
			return
		}
	}
	b.candidate, b.at, b.err = true, at, max(leastErr, err)
}
