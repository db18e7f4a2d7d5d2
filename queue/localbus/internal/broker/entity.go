package broker

import (
	"slices"
	"sync"
	"time"
)

// entity is one queue with its dead-letter queues: what one mutex guards.
type entity struct {
	broker *Broker
	name   string // as spelled at creation

	mu       sync.Mutex // guards everything below, and all queues, sessions, consumers and records of the entity
	props    Properties
	created  time.Time
	updated  time.Time
	accessed time.Time
	deleted  bool
	last     int64 // latest sequence number
	bytes    int64 // size of all records and session states
	seen     history

	main, dead, transfer Queue

	sessions map[string]*session
	free     heap[*session] // with messages and without a holder
	turns    int64          // latest place in the order of free sessions
	waiters  []*waiter      // accepts of any session, in order

	alarms heap[*alarm]
	timer  Timer     // nil: none is set
	armed  time.Time // when timer fires
	timers int       // number of timers so far, the id of the latest

	calls   []func() // to be made without the mutex
	parcels []parcel // to be forwarded without the mutex
}

func newEntity(b *Broker, name string, p Properties) *entity {
	now := b.clock.Now()
	e := &entity{broker: b, name: name, props: p, created: now, updated: now, sessions: map[string]*session{}}
	for q, suffix := range map[*Queue]string{&e.main: "", &e.dead: deadSuffix, &e.transfer: transferSuffix} {
		q.entity, q.suffix, q.locks = e, suffix, map[Token]*record{}
	}
	return e
}

// enter takes the mutex, lets everything happen that was due, and returns the
// present time. leave must follow.
func (e *entity) enter() time.Time {
	e.mu.Lock()
	now := e.broker.clock.Now()
	e.advance(now)
	return now
}

// leave sets the timer, gives the mutex back, and makes the calls that were
// put off.
func (e *entity) leave() {
	e.arm()
	calls, parcels := e.calls, e.parcels
	e.calls, e.parcels = nil, nil
	e.mu.Unlock()

	for _, p := range parcels {
		e.broker.carry(e, p)
	}
	for _, call := range calls {
		call()
	}
}

// later puts off a call until the mutex is free.
func (e *entity) later(call func()) {
	if call != nil {
		e.calls = append(e.calls, call)
	}
}

// describe returns the entity's description; ok is false once it is deleted.
func (e *entity) describe() (d Description, ok bool) {
	e.enter()
	defer e.leave()
	return e.description(), !e.deleted
}

func (e *entity) description() Description {
	return Description{
		Name: e.name, Properties: e.props, Counts: e.counts(),
		CreatedAt: e.created, UpdatedAt: e.updated, AccessedAt: e.accessed,
	}
}

func (e *entity) counts() Counts {
	c := Counts{
		Active:             e.main.states[StateActive],
		Scheduled:          e.main.states[StateScheduled],
		Deferred:           e.main.states[StateDeferred],
		DeadLetter:         e.dead.all.n,
		TransferDeadLetter: e.transfer.all.n,
		SizeBytes:          e.bytes,
	}
	c.Total = c.Active + c.Scheduled + c.Deferred + c.DeadLetter + c.TransferDeadLetter
	return c
}

// update replaces the properties and applies them to what waits.
func (e *entity) update(p Properties) (Description, error) {
	now := e.enter()
	defer e.leave()
	if e.deleted {
		return Description{}, e.main.fail("update", NotFound, "")
	}
	if err := unchangeable(e.props, p); err != nil {
		return Description{}, &Error{Op: "update", Queue: e.name, Kind: Invalid, Err: err}
	}
	e.props, e.updated = p, now
	if e.main.receivable() != 0 {
		e.turnAway(Disabled)
	}
	if p.ForwardTo != "" {
		e.forwardAll(now)
	}
	e.wakeAll()
	return e.description(), nil
}

// forwardAll sends off what is available.
func (e *entity) forwardAll(now time.Time) {
	for _, r := range slices.Collect(e.main.all.from(0)) {
		if r.shelf != nil {
			r.shelf.remove(r)
			e.offer(r, now)
		}
	}
}

// close ends the entity: everything in it is forgotten.
func (e *entity) close() {
	e.mu.Lock()
	defer e.leave()
	if e.deleted {
		return
	}
	e.deleted = true
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
	e.turnAway(NotFound)
	e.wakeAll()
	for _, q := range e.queues() {
		q.all, q.shelf, q.locks = index{}, shelf{}, nil
	}
	e.sessions, e.free, e.alarms, e.seen = nil, heap[*session]{}, heap[*alarm]{}, history{}
}

func (e *entity) queues() [3]*Queue { return [3]*Queue{&e.main, &e.dead, &e.transfer} }

// wakeAll notifies every hungry consumer.
func (e *entity) wakeAll() {
	for _, q := range e.queues() {
		e.announce(&q.shelf)
	}
	for _, s := range e.sessions {
		e.announce(&s.shelf)
	}
}

// announce notifies the consumers that wait for messages of a shelf.
func (e *entity) announce(s *shelf) {
	for _, c := range s.hungry {
		c.hungry = false
		e.later(c.notify)
	}
	clear(s.hungry)
	s.hungry = s.hungry[:0]
}
