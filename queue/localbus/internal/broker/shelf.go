package broker

// list is a doubly linked list through its records. A record is in one list
// at most.
type list struct {
	first, last *record
	n           int
}

func (l *list) append(r *record) {
	r.prev, r.next = l.last, nil
	if l.last == nil {
		l.first = r
	} else {
		l.last.next = r
	}
	l.last = r
	l.n++
}

func (l *list) remove(r *record) {
	if r.prev == nil {
		l.first = r.next
	} else {
		r.prev.next = r.next
	}
	if r.next == nil {
		l.last = r.prev
	} else {
		r.next.prev = r.prev
	}
	r.prev, r.next = nil, nil
	l.n--
}

// shelf holds the available messages of a queue or of a session in sequence
// order, and the consumers that came away short. New messages queue up in a
// list; those that come back out of order wait in a heap.
type shelf struct {
	fresh  list
	back   heap[*record]
	hungry []*Consumer // waiting for their notification, in order
}

func (s *shelf) len() int { return s.fresh.n + s.back.len() }

// put makes r available.
func (s *shelf) put(r *record) {
	r.shelf = s
	if s.fresh.last == nil || s.fresh.last.number < r.number {
		s.fresh.append(r)
		return
	}
	s.back.push(r)
}

// first returns the available record of the lowest number, or nil.
func (s *shelf) first() *record {
	if s.back.len() == 0 {
		return s.fresh.first
	}
	if top := s.back.top(); s.fresh.first == nil || top.number < s.fresh.first.number {
		return top
	}
	return s.fresh.first
}

// remove takes r off the shelf that it is on.
func (s *shelf) remove(r *record) {
	r.shelf = nil
	if r.backAt > 0 {
		s.back.remove(r)
		return
	}
	s.fresh.remove(r)
}
