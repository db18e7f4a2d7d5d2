package broker

import (
	"fmt"
	"slices"
	"time"
)

// SetSessionState stores the state of a session; empty clears it. It outlives
// the session's messages. Its size counts against the limits of one message
// (TooLarge) and of the queue (Full). Other errors as in RenewSession.
func (q *Queue) SetSessionState(id string, state []byte) error {
	const op = "set session state"
	e, now := q.entity, q.entity.enter()
	defer e.leave()
	s, err := q.held(op, id)
	if err != nil {
		return err
	}
	if limit := e.props.MaxMessageBytes; int64(len(state)) > limit {
		return q.fail(op, TooLarge, fmt.Sprintf("state of %d bytes, limit %d", len(state), limit))
	}
	more := int64(len(state) - len(s.state))
	if more > 0 {
		if err := e.checkRoom(op, more); err != nil {
			return err
		}
	}
	e.bytes += more
	s.state, s.stateAt = slices.Clone(state), now
	return nil
}

// SessionFilter selects sessions.
type SessionFilter struct {
	UpdatedSince time.Time // has state that was set after this time; zero: has active messages or state
	Skip         int       // leave out so many
	Top          int       // greatest number; zero: all
}

// Sessions returns session ids in sorted order. It reports SessionRefused or
// NotFound.
func (q *Queue) Sessions(f SessionFilter) ([]string, error) {
	q.entity.enter()
	defer q.entity.leave()
	if err := q.sessionful("list sessions"); err != nil {
		return nil, err
	}
	var ids []string
	for id, s := range q.entity.sessions {
		if s.matches(f.UpdatedSince) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	ids = ids[min(max(f.Skip, 0), len(ids)):]
	if f.Top > 0 {
		ids = ids[:min(f.Top, len(ids))]
	}
	return ids, nil
}

// matches reports whether s has state newer than since, or anything at all if
// since is zero.
func (s *session) matches(since time.Time) bool {
	if since.IsZero() {
		return len(s.state) > 0 || s.active() > 0
	}
	return len(s.state) > 0 && s.stateAt.After(since)
}

// active returns the number of active messages of s.
func (s *session) active() int {
	n := s.shelf.len()
	for r := s.locked.first; r != nil; r = r.next {
		if r.state == StateActive {
			n++
		}
	}
	return n
}
