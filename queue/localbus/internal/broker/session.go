package broker

import (
	"slices"
	"time"
)

// session is a group of messages with one holder at a time, and a state. The
// entity's mutex guards it. It is forgotten once it has neither messages nor
// state nor holder.
type session struct {
	id       string
	shelf    shelf // its available messages
	locked   list  // its locked messages
	messages int   // all of them, in any state
	state    []byte
	stateAt  time.Time // when state was set last

	holder *Consumer // nil: free
	until  time.Time // end of the holder's lock
	alarm  alarm

	turn   int64 // place in the order of free sessions
	freeAt int   // place in entity.free
}

func (s *session) before(o *session) bool { return s.turn < o.turn }
func (s *session) place() *int            { return &s.freeAt }

// session returns the session of an id, which may be new.
func (e *entity) session(id string) *session {
	s := e.sessions[id]
	if s == nil {
		s = &session{id: id}
		e.sessions[id] = s
	}
	return s
}

// review puts s where it belongs after a change: with a waiter, among the free
// sessions, or away.
func (e *entity) review(s *session) {
	free := s.holder == nil && s.shelf.len() > 0
	switch {
	case free && len(e.waiters) > 0:
		w := e.waiters[0]
		e.waiters = slices.Delete(e.waiters, 0, 1)
		e.grant(s, w.consumer)
		close(w.done)
	case free && s.freeAt == 0:
		e.turns++
		s.turn = e.turns
		e.free.push(s)
	case !free:
		e.free.remove(s)
	}
	if s.holder == nil && s.messages == 0 && len(s.state) == 0 {
		delete(e.sessions, s.id)
	}
}

// grant makes c the holder of a free session.
func (e *entity) grant(s *session, c *Consumer) {
	e.free.remove(s)
	s.holder, c.session = c, s
	e.wakeSession(s, e.broker.clock.Now().Add(e.props.LockDuration))
}

// loseSession is the end of a session's lock by time: its holder is told, and
// its locked messages have failed.
func (e *entity) loseSession(s *session, now time.Time) {
	c := s.holder
	c.gone = SessionLockLost
	c.forget(&s.shelf)
	e.later(c.lost)
	e.letGo(s, now, e.failed)
}

// letGo takes a session from its holder and gives its locked messages to back.
func (e *entity) letGo(s *session, now time.Time, back func(*record, time.Time)) {
	for r := s.locked.first; r != nil; r = s.locked.first {
		e.unlock(r)
		back(r, now)
	}
	s.holder = nil
	e.wakeSession(s, time.Time{})
	e.review(s)
}

// held returns the session of an id if somebody holds it.
func (q *Queue) held(op, id string) (*session, error) {
	if err := q.sessionful(op); err != nil {
		return nil, err
	}
	if s := q.entity.sessions[id]; s != nil && s.holder != nil {
		return s, nil
	}
	return nil, q.fail(op, SessionLockLost, "")
}

// sessionful returns SessionRefused unless q has sessions.
func (q *Queue) sessionful(op string) error {
	if err := q.open(op); err != nil {
		return err
	}
	if q.suffix != "" || !q.entity.props.RequiresSession {
		return q.fail(op, SessionRefused, "")
	}
	return nil
}

// Session returns the id of the consumer's session and the end of its lock;
// ok is false for a consumer without a session. Once the session is lost or the
// consumer is closed, the time is zero.
func (c *Consumer) Session() (id string, lockedUntil time.Time, ok bool) {
	c.queue.entity.enter()
	defer c.queue.entity.leave()
	if c.session == nil {
		return "", time.Time{}, false
	}
	if c.gone != 0 {
		return c.session.id, time.Time{}, true
	}
	return c.session.id, c.session.until, true
}

// RenewSession extends the lock of a session by the queue's LockDuration from
// now and returns its new end. It reports SessionLockLost when nobody holds
// the session, SessionRefused, or NotFound.
func (q *Queue) RenewSession(id string) (time.Time, error) {
	e, now := q.entity, q.entity.enter()
	defer e.leave()
	s, err := q.held("renew session", id)
	if err != nil {
		return time.Time{}, err
	}
	e.wakeSession(s, now.Add(e.props.LockDuration))
	return s.until, nil
}

// SessionState returns the state of a session, nil for none. The slice is
// shared: read only. Errors as in RenewSession.
func (q *Queue) SessionState(id string) ([]byte, error) {
	q.entity.enter()
	defer q.entity.leave()
	s, err := q.held("get session state", id)
	if err != nil {
		return nil, err
	}
	return s.state, nil
}
