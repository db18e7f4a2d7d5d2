package broker

import (
	"net/url"
	"strings"
	"time"
)

// parcel is a record on its way to another queue. It is in no queue.
type parcel struct {
	rec  *record
	to   string // as the properties spell it
	dead bool   // it is a dead letter
}

// targetName returns the queue that a forwarding property names: a name, or
// the path of an absolute URL.
func targetName(s string) string {
	if strings.Contains(s, "://") {
		if u, err := url.Parse(s); err == nil {
			s = u.Path
		}
	}
	return strings.Trim(s, "/")
}

// carry takes a parcel to its queue, or back to a dead-letter queue of from.
// No mutex is held.
func (b *Broker) carry(from *entity, p parcel) {
	to := b.lookup(targetName(p.to))
	err := error(&Error{Op: "forward", Queue: p.to, Kind: NotFound})
	if to != nil {
		err = to.receive(p)
	}
	if err != nil {
		from.takeBack(p, err)
	}
}

// receive takes in a parcel as if it had been sent here.
func (e *entity) receive(p parcel) error {
	now := e.enter()
	defer e.leave()
	if err := e.main.sendable("forward"); err != nil {
		return err
	}
	if err := e.main.checkMessage("forward", &p.rec.msg); err != nil {
		return err
	}
	if err := e.checkRoom("forward", p.rec.size()); err != nil {
		return err
	}
	if e.props.RequiresDuplicateDetect && e.seen.check(p.rec.msg, now, e.props.DuplicateDetectionWindow) {
		return nil
	}
	r := &record{
		msg: p.rec.msg, filled: p.rec.filled, moved: true, origin: p.rec.origin,
		source: p.rec.source, overlay: p.rec.overlay,
	}
	if r.origin == 0 {
		r.origin = p.rec.number
	}
	e.store(r, now)
	return nil
}

// takeBack keeps a parcel that could not be delivered: a message in the
// transfer dead-letter queue, a dead letter in the dead-letter queue.
func (e *entity) takeBack(p parcel, why error) {
	now := e.enter()
	defer e.leave()
	r, q := p.rec, &e.dead
	if !p.dead {
		q = &e.transfer
		r.expires, r.source = time.Time{}, e.name
		r.mark(Settlement{Reason: reasonForward, Description: why.Error()})
	}
	q.add(r)
	e.offer(r, now)
}
