package broker

// LoseLock ends a lock at once as if it had expired, for tests of clients: of
// a session message it ends the lock of the whole session. It reports LockLost
// or NotFound.
func (q *Queue) LoseLock(t Token) error {
	e, now := q.entity, q.entity.enter()
	defer e.leave()
	if err := q.holds("lose lock", []Token{t}); err != nil {
		return err
	}
	r := q.locks[t]
	if r.session != nil {
		e.loseSession(r.session, now)
		return nil
	}
	e.unlock(r)
	e.failed(r, now)
	return nil
}

// Duplicate puts a second copy of a locked message into the queue, as if its
// settlement were going to be lost, for tests of clients. The copy has the
// same message id and passes duplicate detection, with a sequence number of
// its own and a higher delivery count. It reports LockLost or NotFound.
func (q *Queue) Duplicate(t Token) error {
	e, now := q.entity, q.entity.enter()
	defer e.leave()
	if err := q.holds("duplicate", []Token{t}); err != nil {
		return err
	}
	e.last++
	c := q.locks[t].copy(e.last)
	q.add(c)
	e.offer(c, now)
	return nil
}

// copy returns an active record with the contents of r and a number of its own.
func (r *record) copy(number int64) *record {
	c := &record{
		msg: r.msg, filled: r.filled, moved: r.moved, number: number, origin: r.origin,
		failures: r.failures, enqueued: r.enqueued, expires: r.expires, ttl: r.ttl,
		source: r.source, overlay: r.overlay,
	}
	if r.queue == &r.queue.entity.main {
		c.failures++
	}
	return c
}
