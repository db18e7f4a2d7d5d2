package broker

import "time"

// alarm is what time will do next to a record or to a session.
type alarm struct {
	at      time.Time
	number  int64 // breaks ties
	rec     *record
	ses     *session
	alarmAt int // place in entity.alarms
}

func (a *alarm) place() *int { return &a.alarmAt }

func (a *alarm) before(o *alarm) bool {
	if c := a.at.Compare(o.at); c != 0 {
		return c < 0
	}
	return a.number < o.number
}

// wake sets a record's alarm, replacing an earlier one; zero: none.
func (e *entity) wake(r *record, at time.Time) {
	e.alarms.remove(&r.alarm)
	if at.IsZero() {
		return
	}
	r.alarm.rec, r.alarm.number, r.alarm.at = r, r.number, at
	e.alarms.push(&r.alarm)
}

// wakeSession sets a session's alarm to the end of its lock; zero: none.
func (e *entity) wakeSession(s *session, at time.Time) {
	e.alarms.remove(&s.alarm)
	s.until = at
	if at.IsZero() {
		return
	}
	s.alarm.ses, s.alarm.at = s, at
	e.alarms.push(&s.alarm)
}

// advance does everything that was due by now, in the order in which it was due.
func (e *entity) advance(now time.Time) {
	for e.alarms.len() > 0 && !e.alarms.top().at.After(now) {
		a := e.alarms.top()
		e.alarms.remove(a)
		if a.ses != nil {
			e.loseSession(a.ses, a.at)
		} else {
			e.due(a.rec, a.at)
		}
	}
}

// due is the alarm of a record: its lock ends, its time comes, or its life ends.
func (e *entity) due(r *record, at time.Time) {
	switch {
	case r.locked:
		e.unlock(r)
		e.failed(r, at)
	case r.state == StateScheduled:
		e.activate(r, at)
	default:
		e.expire(r, at)
	}
}

// arm sees to it that advance runs at the time of the next alarm. A timer that
// is set too early is left alone: it will find nothing due and set the next.
func (e *entity) arm() {
	if e.deleted || e.alarms.len() == 0 {
		return
	}
	at := e.alarms.top().at
	if e.timer != nil && !at.Before(e.armed) {
		return
	}
	if e.timer != nil {
		e.timer.Stop()
	}
	e.armed = at
	e.timers++
	id := e.timers
	e.timer = e.broker.clock.AfterFunc(at.Sub(e.broker.clock.Now()), func() { e.ring(id) })
}

// ring is called by the timer of the given id.
func (e *entity) ring(id int) {
	e.enter()
	defer e.leave()
	if id == e.timers {
		e.timer = nil
	}
}
