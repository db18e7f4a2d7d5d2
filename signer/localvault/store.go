package localvault

import (
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
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
	material   material
}

// store holds all keys. Names do not depend on case.
type store struct {
	managedHSM bool

	mu     sync.RWMutex          // guards the fields below
	random io.Reader             // makes versions
	keys   map[string][]*version // by lower-case name; oldest version first
}

func newStore(random io.Reader, managedHSM bool) *store {
	return &store{random: random, managedHSM: managedHSM, keys: map[string][]*version{}}
}

// add appends a version and gives it its id. The name must be valid.
func (st *store) add(name string, v version) (*version, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	var id [16]byte
	if _, err := io.ReadFull(st.random, id[:]); err != nil {
		return nil, fmt.Errorf("read random version: %w", err)
	}
	v.id, v.name = hex.EncodeToString(id[:]), name
	folded := strings.ToLower(name)
	if older := st.keys[folded]; len(older) > 0 {
		v.name = older[0].name
	}
	st.keys[folded] = append(st.keys[folded], &v)
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
	versions := st.keys[strings.ToLower(name)]
	if id == "" {
		return versions, len(versions) - 1
	}
	return versions, slices.IndexFunc(versions, func(v *version) bool { return v.id == id })
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
		all = append(all, st.keys[name][len(st.keys[name])-1])
	}
	return all
}

// versions returns a copy of a key's versions, oldest first.
func (st *store) versions(name string) ([]*version, error) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	versions := st.keys[strings.ToLower(name)]
	if len(versions) == 0 {
		return nil, keyNotFound(name, "", st.managedHSM)
	}
	return slices.Clone(versions), nil
}

// validName tells whether a key may have that name.
func validName(name string) bool {
	return name != "" && len(name) <= 127 && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-'
	})
}

// validVersion tells whether a version can exist: 32 lower-case hex digits.
func validVersion(id string) bool {
	return len(id) == 32 && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'f')
	})
}
