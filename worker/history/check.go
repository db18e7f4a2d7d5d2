package history

import (
	"maps"
	"slices"
	"time"
)

// Check judges what was noted so far.
func (h *History) Check() Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := Report{Signatures: h.signatures, faults: slices.Clone(h.faults)}
	for _, id := range slices.Sorted(maps.Keys(h.jobs)) {
		h.checkJob(&r, id, h.jobs[id])
	}
	r.ReSigned = max(0, r.Signatures-r.Published)
	if allowed := r.allowed + h.unasked; h.observed && r.Signatures > allowed {
		r.blame("the vault signed %d times, and deliveries and retries account for %d", r.Signatures, allowed)
	}
	return r
}

// checkJob counts one job in.
func (h *History) checkJob(r *Report, id string, p *past) {
	ended := len(p.results) > 0 || p.dead > 0
	r.Attempted += one(p.attempted)
	r.Accepted += one(p.accepted)
	r.Replied += one(len(p.results) > 0)
	r.DeadLettered += one(p.dead > 0)
	r.Both += one(len(p.results) > 0 && p.dead > 0)
	r.Notices += p.notices
	r.Redelivered += max(0, p.delivered-max(1, len(p.copies)))
	r.Copied += max(0, len(p.copies)-1)
	r.Items += len(p.job.Items)
	r.Published += len(p.published)
	r.allowed += p.delivered * len(p.job.Items)
	switch {
	case !p.attempted:
		r.Unexpected++
		r.blame("%q was never sent, and there are %d results and %d dead letters of it", id, len(p.results), p.dead)
	case p.accepted && !ended:
		r.Lost++
		r.blame("%q is lost: it was accepted and has no ending (on the job queue: %t)", id, p.waiting)
	case !p.accepted && ended:
		r.Recovered++
	}
	if ended && p.waiting {
		r.Waiting++
		r.blame("%q has ended and is still on the job queue", id)
	}
	h.checkTwice(r, id, p)
}

// checkTwice looks for jobs that ended more often than they may. Each copy that
// the broker made of a message may have an ending of its own, besides that
// results of one job show once.
func (h *History) checkTwice(r *Report, id string, p *past) {
	slices.SortFunc(p.results, time.Time.Compare)
	for i := 1; i < len(p.results); i++ {
		if gap := p.results[i].Sub(p.results[i-1]); h.config.Window > 0 && gap >= h.config.Window {
			r.Late++
			continue
		}
		r.Duplicated++
		r.blame("%q has %d results", id, len(p.results))
	}
	if h.config.EndsOnce && len(p.results) > 0 && p.dead > 0 && len(p.copies) < 2 {
		r.blame("%q has a result and a dead letter", id)
	}
	if most := max(1, len(p.copies)); p.dead > most {
		r.blame("%q has %d dead letters, and %d copies", id, p.dead, most)
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
