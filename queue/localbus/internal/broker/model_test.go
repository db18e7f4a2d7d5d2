package broker_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

// model is a naive second implementation of a queue and its dead-letter
// queue, with linear scans and no timers. The property test drives both.
type model struct {
	lock    time.Duration
	limit   int // deliveries
	last    int64
	entries []*entry // in no order; those that are gone have left
}

// entry is one message of the model.
type entry struct {
	id       string
	number   int64
	dead     bool // in the dead-letter queue
	deferred bool
	due      time.Time // scheduled until then, zero: not scheduled
	token    broker.Token
	until    time.Time // locked until then, zero: not locked
	ttl      time.Duration
	expires  time.Time // zero: never
	failures int
}

func (e *entry) ready() bool { return e.due.IsZero() && e.until.IsZero() && !e.deferred }

func (m *model) send(id string, ttl, delay time.Duration) {
	m.last++
	e := &entry{id: id, number: m.last, ttl: ttl}
	m.entries = append(m.entries, e)
	if delay > 0 {
		e.due = time.Now().Add(delay)
		return
	}
	m.start(e, time.Now())
}

func (m *model) start(e *entry, now time.Time) {
	e.due = time.Time{}
	if e.ttl > 0 {
		e.expires = now.Add(e.ttl)
	}
}

func (m *model) remove(e *entry) {
	m.entries = slices.DeleteFunc(m.entries, func(o *entry) bool { return o == e })
}

// next returns when something happens to e by itself, zero for never.
func (e *entry) next() time.Time {
	switch {
	case !e.until.IsZero():
		return e.until
	case !e.due.IsZero():
		return e.due
	case e.deferred:
		return time.Time{}
	}
	return e.expires
}

// settleTime lets everything happen that was due by now, earliest first.
func (m *model) settleTime() {
	for {
		var first *entry
		for _, e := range m.entries {
			if at := e.next(); at.IsZero() || at.After(time.Now()) {
				continue
			} else if first == nil || at.Before(first.next()) || at.Equal(first.next()) && e.number < first.number {
				first = e
			}
		}
		if first == nil {
			return
		}
		m.happen(first)
	}
}

func (m *model) happen(e *entry) {
	at := e.next()
	switch {
	case !e.until.IsZero():
		m.fail(e, at)
	case !e.due.IsZero():
		m.last++
		e.number = m.last
		m.start(e, at)
	default:
		m.bury(e)
	}
}

// bury moves e to the dead-letter queue.
func (m *model) bury(e *entry) {
	e.dead, e.deferred, e.until, e.expires = true, false, time.Time{}, time.Time{}
}

// back ends the lock of e, which may have outlived its life.
func (m *model) back(e *entry, now time.Time) {
	e.until = time.Time{}
	if !e.deferred && !e.expires.IsZero() && !now.Before(e.expires) {
		m.bury(e)
	}
}

func (m *model) fail(e *entry, now time.Time) {
	if !e.dead {
		if e.failures++; e.failures >= m.limit {
			m.bury(e)
			return
		}
	}
	m.back(e, now)
}

// ready returns what a queue has available, in order.
func (m *model) ready(dead bool) []*entry {
	return m.pick(func(e *entry) bool { return e.dead == dead && e.ready() })
}

func (m *model) pick(want func(*entry) bool) []*entry {
	var found []*entry
	for _, e := range m.entries {
		if want(e) {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b *entry) int { return int(a.number - b.number) })
	return found
}

func (m *model) settle(e *entry, o broker.Outcome) {
	switch o {
	case broker.Complete:
		m.remove(e)
	case broker.Abandon:
		m.fail(e, time.Now())
	case broker.Release:
		m.back(e, time.Now())
	case broker.Defer:
		e.deferred, e.until = true, time.Time{}
	case broker.DeadLetter:
		if e.dead {
			m.back(e, time.Now())
		} else {
			m.bury(e)
		}
	}
}

func (m *model) counts() broker.Counts {
	var c broker.Counts
	for _, e := range m.entries {
		switch {
		case e.dead:
			c.DeadLetter++
		case !e.due.IsZero():
			c.Scheduled++
		case e.deferred:
			c.Deferred++
		default:
			c.Active++
		}
		c.Total++
	}
	return c
}

// TestAgainstModel drives the broker and the model with the same random
// steps and compares every answer and every figure.
func TestAgainstModel(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { newPair(t, seed).run(600) })
		})
	}
}
