package broker

import "time"

// identity is what duplicate detection compares.
type identity struct{ id, partition string }

// sighting is the first sight of an identity.
type sighting struct {
	identity
	at time.Time
}

// history remembers identities for a window from their first sight.
type history struct {
	known map[identity]struct{}
	order []sighting // oldest first
}

// check reports whether m was seen in the window before now, and remembers it
// if not.
func (h *history) check(m Message, now time.Time, window time.Duration) bool {
	h.forget(now.Add(-window))
	id := identity{m.ID, m.PartitionKey}
	if _, dup := h.known[id]; dup {
		return true
	}
	if h.known == nil {
		h.known = map[identity]struct{}{}
	}
	h.known[id] = struct{}{}
	h.order = append(h.order, sighting{id, now})
	return false
}

// forget drops what was first seen at or before limit.
func (h *history) forget(limit time.Time) {
	for len(h.order) > 0 && !h.order[0].at.After(limit) {
		delete(h.known, h.order[0].identity)
		h.order[0] = sighting{}
		h.order = h.order[1:]
	}
}
