package localvault

import (
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// version is one version of a key. It is immutable: an update puts a changed
// copy in its place, so readers need no lock.
type version struct {
	name       string // as it was first written
	id         string // 32 lower-case hex digits
	kty        string // RSA, RSA-HSM, EC, EC-HSM or oct-HSM
	ops        []string
	tags       map[string]string
	attributes attributes
	release    *releasePolicy // immutable; nil: none
	material   material
}

// entry is a key: its versions and what belongs to all of them.
type entry struct {
	versions []*version      // oldest first, never empty
	policy   *rotationPolicy // immutable; nil: none was set
	deleted  time.Time       // when it went to the bin; of no meaning before
}

// copy returns what may be read without the lock.
func (e *entry) copy() entry {
	return entry{versions: slices.Clone(e.versions), policy: e.policy, deleted: e.deleted}
}

func (e *entry) latest() *version { return e.versions[len(e.versions)-1] }

// store holds all keys. Names do not depend on case.
type store struct {
	managedHSM bool
	now        func() time.Time

	mu     sync.RWMutex      // guards the fields below and the entries
	random io.Reader         // makes versions
	keys   map[string]*entry // by lower-case name
	bin    map[string]*entry // the deleted ones; no name is in both
}

func newStore(cfg Config) *store {
	return &store{random: cfg.Random, managedHSM: cfg.ManagedHSM, now: cfg.Clock.Now, keys: map[string]*entry{}, bin: map[string]*entry{}}
}

// add appends a version and gives it its id. The name must be valid. It is
// refused while a deleted key has the name.
func (st *store) add(name string, v version) (*version, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if err := st.free(name); err != nil {
		return nil, err
	}
	var id [16]byte
	if _, err := io.ReadFull(st.random, id[:]); err != nil {
		return nil, fmt.Errorf("read random version: %w", err)
	}
	v.id, v.name = hex.EncodeToString(id[:]), name
	folded := strings.ToLower(name)
	key, ok := st.keys[folded]
	if !ok {
		key = &entry{}
		st.keys[folded] = key
	} else {
		v.name = key.versions[0].name
	}
	key.versions = append(key.versions, &v)
	return &v, nil
}

// find returns that version of a key; the latest if id is empty.
func (st *store) find(name, id string) (*version, error) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	versions, i := st.locate(name, id)
	if i < 0 {
		return nil, keyNotFound(name, id, st.managedHSM)
	}
	return versions[i], nil
}

// locate returns the versions of a key and the place of one, or -1. The caller
// holds the lock.
func (st *store) locate(name, id string) ([]*version, int) {
	key, ok := st.keys[strings.ToLower(name)]
	if !ok {
		return nil, -1
	}
	if id == "" {
		return key.versions, len(key.versions) - 1
	}
	return key.versions, slices.IndexFunc(key.versions, func(v *version) bool { return v.id == id })
}

// update replaces a version with what change makes of it.
func (st *store) update(name, id string, change func(version) (version, error)) (*version, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	versions, i := st.locate(name, id)
	if i < 0 {
		return nil, keyNotFound(name, id, st.managedHSM)
	}
	changed, err := change(*versions[i])
	if err != nil {
		return nil, err
	}
	versions[i] = &changed
	return &changed, nil
}

// latest returns the newest version of every key, by name.
func (st *store) latest() []*version {
	st.mu.RLock()
	defer st.mu.RUnlock()
	all := make([]*version, 0, len(st.keys))
	for _, name := range slices.Sorted(maps.Keys(st.keys)) {
		all = append(all, st.keys[name].latest())
	}
	return all
}

// snapshot returns a copy of a key, its versions oldest first.
func (st *store) snapshot(name string) (entry, error) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	key, ok := st.keys[strings.ToLower(name)]
	if !ok {
		return entry{}, keyNotFound(name, "", st.managedHSM)
	}
	return key.copy(), nil
}

// setPolicy replaces a key's rotation policy with what change makes of it.
func (st *store) setPolicy(name string, change func(*rotationPolicy) *rotationPolicy) (*rotationPolicy, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	key, ok := st.keys[strings.ToLower(name)]
	if !ok {
		return nil, keyNotFound(name, "", st.managedHSM)
	}
	key.policy = change(key.policy)
	return key.policy, nil
}
