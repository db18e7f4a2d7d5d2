package localvault

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// purgeDate is when a deleted key goes for good.
func (e *entry) purgeDate() time.Time {
	return e.deleted.AddDate(0, 0, e.latest().attributes.RecoverableDays)
}

// empty purges what is due. The caller holds the lock.
func (st *store) empty() {
	now := st.now()
	maps.DeleteFunc(st.bin, func(_ string, e *entry) bool { return !now.Before(e.purgeDate()) })
}

// free tells whether no deleted key blocks the name. The caller holds the lock.
func (st *store) free(name string) error {
	st.empty()
	if _, ok := st.bin[strings.ToLower(name)]; ok {
		return deletedButRecoverable(name)
	}
	return nil
}

// checkFree is free for those who do not hold the lock.
func (st *store) checkFree(name string) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.free(name)
}

// remove moves a key and all its versions to the bin.
func (st *store) remove(name string) (entry, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	folded := strings.ToLower(name)
	key, ok := st.keys[folded]
	if !ok {
		return entry{}, keyNotFound(name, "", st.managedHSM)
	}
	key.deleted = st.now()
	delete(st.keys, folded)
	st.bin[folded] = key
	return key.copy(), nil
}

// findDeleted returns a deleted key.
func (st *store) findDeleted(name string) (entry, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.empty()
	key, ok := st.bin[strings.ToLower(name)]
	if !ok {
		return entry{}, deletedKeyNotFound(name)
	}
	return key.copy(), nil
}

// allDeleted returns the deleted keys by name.
func (st *store) allDeleted() []entry {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.empty()
	all := make([]entry, 0, len(st.bin))
	for _, name := range slices.Sorted(maps.Keys(st.bin)) {
		all = append(all, st.bin[name].copy())
	}
	return all
}

// recover takes a key out of the bin and returns its latest version.
func (st *store) recover(name string) (*version, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.empty()
	folded := strings.ToLower(name)
	key, ok := st.bin[folded]
	if !ok {
		return nil, deletedKeyNotFound(name)
	}
	delete(st.bin, folded)
	st.keys[folded] = key
	return key.latest(), nil
}

// purge forgets a deleted key.
func (st *store) purge(name string) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.empty()
	folded := strings.ToLower(name)
	if _, ok := st.bin[folded]; !ok {
		return deletedKeyNotFound(name)
	}
	delete(st.bin, folded)
	return nil
}

// restore puts a key back whose name nobody has.
func (st *store) restore(e entry) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	name := e.latest().name
	if err := st.free(name); err != nil {
		return err
	}
	folded := strings.ToLower(name)
	if _, ok := st.keys[folded]; ok {
		return alreadyExists(name)
	}
	st.keys[folded] = &e
	return nil
}
