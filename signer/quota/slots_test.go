package quota

import (
	"context"
	"math"
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

func TestFleetSlots(t *testing.T) {
	for _, k := range []int{1, 3, 10, 50} {
		for name := range models(0) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(models(3.3)[name], k, 400, halved)
				s := newStore(uint64(k))
				f.share = func(i int) Share { return member{s, i} }
				f.run(t, k, 400, 7)
				f.tell(t, name, k)
			})
		}
	}
}

func halved(t float64) float64 {
	if t >= 60 && t < 260 {
		return 2000
	}
	return 4000
}

func (f *fleet) tell(t *testing.T, name string, k int) {
	u, c, r := f.sum(20, 60)
	t.Logf("%s K=%d steady: goodput %.3f throttled %.2f%%", name, k, u/16000, 100*float64(r)/float64(c))
	_, _, r = f.sum(60, 90)
	u, c, r2 := f.sum(100, 260)
	back := 260
	for ; back < 390; back++ {
		if u, _, _ := f.sum(float64(back), float64(back+10)); u > 3800 {
			break
		}
	}
	t.Logf("%s K=%d halved: 429s %d, then goodput %.3f throttled %.2f%%, back after %d, jain %.3f", name, k, r, u/32000, 100*float64(r2)/float64(c), back-260, jain(f.each))
}

var _ = math.Inf
