package keyvault

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/signmill/signmill/signer"
)

// maxSlots bounds the cache. A worker's policy names tens of keys.
const maxSlots = 4096

// cache remembers what a vault said about keys, and who is asking now.
type cache struct {
	cacheFor, latestFor, refuseFor time.Duration

	mu    sync.Mutex // guards slots and everything in them
	slots map[keyID]*slot
}

// slot is what is known of one key, or of one version of it.
type slot struct {
	key    signer.Key // of the last good answer; its public half never changes
	err    error      // of the last answer, when it was a refusal
	asked  time.Time
	until  time.Time // the last answer holds before this instant
	flight *flight   // nil when nobody is asking
}

// flight is one question on its way, and the callers that wait for it.
type flight struct {
	done  chan struct{} // closed by the caller that asks, when the rest is set
	key   signer.Key
	err   error
	alone bool // the outcome says more about the asking caller than about the key
}

func newCache(config Config) *cache {
	return &cache{
		cacheFor: config.CacheFor, latestFor: config.LatestFor, refuseFor: config.RefuseFor,
		slots: map[keyID]*slot{},
	}
}

// board returns an answer that still holds as a flight that has landed, or
// else the flight to wait for. When leads is true there was none: the caller
// must ask the vault and land the flight.
func (c *cache) board(id keyID, now time.Time) (f *flight, leads bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.slots[id]
	if s == nil {
		c.makeRoom()
		s = &slot{}
		c.slots[id] = s
	}
	switch {
	case now.Before(s.until):
		landed := make(chan struct{})
		close(landed)
		f = &flight{done: landed, key: s.key, err: s.err}
		if s.err != nil {
			f.key = signer.Key{}
		}
		return f, false
	case s.flight != nil:
		return s.flight, false
	}
	s.flight = &flight{done: make(chan struct{})}
	return s.flight, true
}

// land ends a flight. An answer about the key is kept for its time; an
// outcome that is no answer is handed to those who wait, and forgotten.
func (c *cache) land(id keyID, f *flight, now time.Time, lasting bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.slots[id]
	s.flight = nil
	if f.err == nil {
		s.keep(f.key, now, c.lifetime(id))
		c.keepVersion(id, f.key, now)
	} else if lasting {
		s.err, s.asked, s.until = f.err, now, now.Add(jittered(c.refuseFor))
	}
	close(f.done)
}

// keepVersion files the answer about the latest version under that version.
func (c *cache) keepVersion(id keyID, key signer.Key, now time.Time) {
	if id.version != "" {
		return
	}
	_, id.version = cutLast(key.KID)
	s := c.slots[id]
	if s == nil {
		c.makeRoom()
		s = &slot{}
		c.slots[id] = s
	}
	s.keep(key, now, c.cacheFor)
}

func (s *slot) keep(key signer.Key, now time.Time, lifetime time.Duration) {
	s.key, s.err, s.asked, s.until = key, nil, now, now.Add(jittered(lifetime))
}

func (c *cache) lifetime(id keyID) time.Duration {
	if id.version == "" {
		return c.latestFor
	}
	return c.cacheFor
}

// known returns what was last heard of a version, whose public half never
// changes, or the zero Key.
func (c *cache) known(id keyID) signer.Key {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.slots[id]; s != nil {
		return s.key
	}
	return signer.Key{}
}

// doubt makes the next Resolve ask again for every entry that holds the
// version, because the vault has just refused it. An answer younger than
// refuseFor stays, so that refusals do not become a storm of questions.
func (c *cache) doubt(kid string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.slots {
		if s.err == nil && s.key.KID == kid && now.Sub(s.asked) >= c.refuseFor {
			s.until = now
		}
	}
}

// makeRoom drops the slot that has been stale for longest when all are taken.
func (c *cache) makeRoom() {
	if len(c.slots) < maxSlots {
		return
	}
	var oldest keyID
	var found *slot
	for id, s := range c.slots {
		if s.flight == nil && (found == nil || s.until.Before(found.until)) {
			oldest, found = id, s
		}
	}
	delete(c.slots, oldest)
}

// jittered shortens d by up to a quarter, so that keys and replicas that
// started together do not ask together.
func jittered(d time.Duration) time.Duration {
	return d - rand.N(d/4+1)
}
