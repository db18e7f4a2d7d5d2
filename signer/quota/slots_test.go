package quota

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// store grants send times to a fleet from memory. It is what a script on a
// shared store does, with one controller for all.
type store struct {
	born  time.Time
	trip  time.Duration // one way to the store
	batch float64       // s of the fleet's rate granted at once

	mu       sync.Mutex // guards the fields below
	control  *controller
	nextFree float64
	epoch    uint64
	seen     map[int]float64
	tells    map[int]func(Part)
	lost     bool
}

func newStore(seed uint64) *store {
	s := &store{born: time.Now(), trip: 3 * time.Millisecond, batch: 0.25, seen: map[int]float64{}, tells: map[int]func(Part){}}
	s.control = newController(10, 400, 0.995, float64(s.born.UnixNano())/1e9, rand.New(rand.NewPCG(seed, 0)), func(Why) {})
	s.control.climb = climb{pitch: pitch{step: 0.1, period: 10, lastPeriod: 10}, period: 10}
	return s
}

// member is a replica's end of a store.
type member struct {
	*store
	id int
}

func (m member) Run(ctx context.Context, tell func(Part)) error {
	m.mu.Lock()
	m.tells[m.id] = tell
	part := m.part(m)
	m.mu.Unlock()
	tell(part)
	<-ctx.Done()
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.tells, m.id)
	return nil
}

func (s *store) part(m member) Part {
	if s.lost {
		return Part{Replicas: len(s.seen), Scale: s.control.scale}
	}
	return Part{Replicas: len(s.seen), Slots: m, Epoch: s.epoch}
}

func (m member) Ask(ctx context.Context, want []Units, done []Done) (Grant, error) {
	if err := rest(ctx, m.trip); err != nil {
		return Grant{}, err
	}
	if m.gone() {
		return Grant{}, errors.New("the store is gone")
	}
	g := m.grant(m.id, want, done)
	return g, rest(ctx, m.trip)
}

func (m member) Report(ctx context.Context, done []Done) error {
	if err := rest(ctx, m.trip); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.judge(m.now(), done)
	return nil
}

func (s *store) gone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

func (s *store) now() float64 { return time.Since(s.born).Seconds() }

func (s *store) judge(now float64, done []Done) {
	paused := s.control.pause.on
	for _, d := range done {
		sent := now - d.Age.Seconds()
		switch d.Outcome {
		case Accepted:
			s.control.accepted(now, sent, d.Cost)
		case Throttled:
			s.control.throttled(now, sent, d.Cost)
		default:
			s.control.failed(now, sent)
		}
	}
	if paused != s.control.pause.on {
		s.epoch++
		s.nextFree = now
		ring := &s.control.sends
		for ring.count > 0 && ring.times[(ring.count-1)%len(ring.times)] > now {
			ring.count--
		}
		s.push()
	}
}

func (s *store) push() {
	for id, tell := range s.tells {
		part := s.part(member{s, id})
		time.AfterFunc(s.trip, func() { tell(part) })
	}
}

func (s *store) grant(id int, want []Units, done []Done) Grant {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.seen[id] = now
	s.judge(now, done)
	s.control.tick(now)
	if s.control.pause.on {
		if wait := s.control.probeIn(now); wait > 0 {
			wait = min(1, wait)
			if s.control.pause.out {
				wait = 0.02
			}
			return Grant{Epoch: s.epoch, Again: seconds(wait + 0.3*s.control.random.Float64())}
		}
		s.control.sent(now, true)
		return Grant{Epoch: s.epoch, Units: want[0], Rate: s.control.rate(), Probe: true}
	}
	active := 0
	for _, at := range s.seen {
		if now-at < 2.5 {
			active++
		}
	}
	rate := s.control.rate()
	room := rate * s.batch / float64(active)
	t := max(now-0.02, s.nextFree)
	g := Grant{Epoch: s.epoch, After: seconds(t - now), Rate: rate}
	for i, cost := range want {
		if i > 0 && float64(g.Units+cost) > room {
			break
		}
		s.control.sent(t, false)
		t += float64(cost) / rate
		g.Units += cost
	}
	s.nextFree = t
	return g
}

// TestFleetSlots runs gates whose send times come from one source.
func TestFleetSlots(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		model    string
		replicas int
		want     goals
	}{
		{"fixed window", 50, goals{50, 0.93, 0.009, 45}},
		{"sliding log", 10, goals{40, 0.94, 0.006, 45}},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(models(3.3)[c.model], c.replicas, 400, halvedAt60)
			s := newStore(uint64(c.replicas))
			f.share = func(i int) Share { return member{s, i} }
			f.run(t, c.replicas, 400, 7)
			f.judge(t, fmt.Sprint(c.model, ", ", c.replicas), c.want)
		})
	}
}

// TestFleetLosesStore: for a minute the store is gone. The gates go on by
// themselves, as many as they were, and then by slots again.
func TestFleetLosesStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(&fixedWindow{phase: 3.3}, 5, 160, always)
		s := newStore(1)
		f.share = func(i int) Share { return member{s, i} }
		lose := func(lost bool) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.lost = lost
			s.epoch++
			s.push()
		}
		time.AfterFunc(50*time.Second, func() { lose(true) })
		time.AfterFunc(110*time.Second, func() { lose(false) })
		f.run(t, 5, 160, 9)
		units, calls, refusals := f.sum(20, 160)
		if goodput := units / 56000; goodput < 0.985 || float64(refusals) > 0.001*float64(calls) {
			t.Errorf("goodput %.3f, %d of %d calls throttled", goodput, refusals, calls)
		}
	})
}
