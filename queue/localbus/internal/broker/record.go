package broker

import (
	"slices"
	"time"
)

// record is one message in one queue. The entity's mutex guards it, except
// for msg, which never changes after Send.
type record struct {
	msg      Message
	filled   bool  // msg.ID was made up
	moved    bool  // came from another queue: is not forwarded again
	number   int64 // sequence number
	origin   int64 // number in the first queue, zero: never forwarded
	failures int   // failed deliveries

	state    State
	enqueued time.Time
	expires  time.Time // zero: never
	ttl      time.Duration
	source   string
	overlay  []Property // never changed in place: deliveries share it

	queue   *Queue   // nil: gone
	session *session // nil: the queue has no sessions
	shelf   *shelf   // where it is available, nil: it is not

	locked bool
	token  Token
	until  time.Time // end of the lock, unless the session's counts
	alarm  alarm     // the next thing that time does to it

	prev, next *record // in shelf.fresh or, while locked, in session.locked
	backAt     int     // place in shelf.back
}

func (r *record) before(o *record) bool { return r.number < o.number }
func (r *record) place() *int           { return &r.backAt }

// expired reports whether the life of r is over.
func (r *record) expired(now time.Time) bool {
	return !r.expires.IsZero() && !now.Before(r.expires)
}

// overhead is what every message counts beside its own bytes: about what an
// empty one takes here.
const overhead = 512

// size is what r counts against the limit of its queue.
func (r *record) size() int64 { return int64(r.msg.Size) + overhead }

// lockedUntil returns the end of r's lock, zero without one.
func (r *record) lockedUntil() time.Time {
	switch {
	case !r.locked:
		return time.Time{}
	case r.session != nil:
		return r.session.until
	}
	return r.until
}

// view describes r as it stands.
func (r *record) view() Delivery {
	return Delivery{
		Message:                &r.msg,
		IDFilled:               r.filled,
		SequenceNumber:         r.number,
		EnqueuedSequenceNumber: r.origin,
		EnqueuedAt:             r.enqueued,
		ExpiresAt:              r.expires,
		TimeToLive:             r.ttl,
		DeliveryCount:          r.failures,
		State:                  r.state,
		DeadLetterSource:       r.source,
		Overlay:                r.overlay,
	}
}

// modify sets properties over the present ones.
func (r *record) modify(properties ...Property) {
	if len(properties) == 0 {
		return
	}
	merged := slices.Clone(r.overlay)
	for _, p := range properties {
		i := slices.IndexFunc(merged, func(have Property) bool { return have.Key == p.Key })
		if i < 0 {
			merged = append(merged, p)
		} else {
			merged[i] = p
		}
	}
	r.overlay = merged
}
