package broker

import (
	"cmp"
	"crypto/rand"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Config tells a Broker about its surroundings. The zero value is usable.
type Config struct {
	Clock   Clock        // nil: the wall clock
	Random  io.Reader    // source of lock tokens and message ids, read by one goroutine at a time; nil: crypto/rand
	Changed func(Change) // told of each update and deletion after the fact, without locks held; nil: nobody
}

// Change is the news of one queue that was updated or deleted. Links to the
// queue and its dead-letter queues ought to be detached.
type Change struct {
	Name    string // of the queue, as spelled at creation
	Deleted bool   // false: updated
}

// Broker is a namespace of queues. Names are case-insensitive.
type Broker struct {
	clock   Clock
	random  *tokens
	changed func(Change)

	mu       sync.Mutex // guards entities and closed; no other mutex is taken under it
	entities map[string]*entity
	closed   bool
}

// New returns an empty broker. Close stops its timers.
func New(c Config) *Broker {
	b := &Broker{clock: c.Clock, changed: c.Changed, entities: map[string]*entity{}}
	if b.clock == nil {
		b.clock = WallClock{}
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if b.changed == nil {
		b.changed = func(Change) {}
	}
	b.random = newTokens(c.Random)
	return b
}

// Close deletes all queues and stops their timers. Changed is not called.
// Methods of queues and consumers then report NotFound, and Create reports
// Closed. Timer calls that are under way find nothing to do.
func (b *Broker) Close() {
	b.mu.Lock()
	entities := b.entities
	b.entities, b.closed = map[string]*entity{}, true
	b.mu.Unlock()
	for _, e := range entities {
		e.close()
	}
}

// Create makes a queue. A name has up to 260 letters, digits, dots, hyphens,
// underscores and slashes, with a letter or digit at both ends. It reports
// Exists, Closed or Invalid; Invalid lists all faults.
func (b *Broker) Create(name string, p Properties) (Description, error) {
	p = p.withDefaults()
	if err := cmp.Or(checkName(name), p.check(name)); err != nil {
		return Description{}, &Error{Op: "create", Queue: name, Kind: Invalid, Err: err}
	}
	e := newEntity(b, name, p)
	if k := b.enter(e); k != 0 {
		return Description{}, &Error{Op: "create", Queue: name, Kind: k}
	}
	d, _ := e.describe()
	return d, nil
}

// enter puts e into the table of names, or returns what speaks against it.
func (b *Broker) enter(e *entity) Kind {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return Closed
	}
	if b.entities[key(e.name)] != nil {
		return Exists
	}
	b.entities[key(e.name)] = e
	return 0
}

// Update replaces all properties of a queue; zero fields mean the default, as
// in Create. RequiresSession and RequiresDuplicateDetect must stay as they
// are. Messages keep the life they were given. It reports NotFound or Invalid.
func (b *Broker) Update(name string, p Properties) (Description, error) {
	e := b.lookup(name)
	if e == nil {
		return Description{}, &Error{Op: "update", Queue: name, Kind: NotFound}
	}
	p = p.withDefaults()
	if err := p.check(name); err != nil {
		return Description{}, &Error{Op: "update", Queue: name, Kind: Invalid, Err: err}
	}
	d, err := e.update(p)
	if err == nil {
		b.changed(Change{Name: e.name})
	}
	return d, err
}

// Delete removes a queue with its messages, locks and sessions. Waiting
// accepts end. It reports NotFound.
func (b *Broker) Delete(name string) error {
	b.mu.Lock()
	e := b.entities[key(name)]
	delete(b.entities, key(name))
	b.mu.Unlock()
	if e == nil {
		return &Error{Op: "delete", Queue: name, Kind: NotFound}
	}
	e.close()
	b.changed(Change{Name: e.name, Deleted: true})
	return nil
}

// Get describes a queue. It reports NotFound.
func (b *Broker) Get(name string) (Description, error) {
	if e := b.lookup(name); e != nil {
		if d, ok := e.describe(); ok {
			return d, nil
		}
	}
	return Description{}, &Error{Op: "get", Queue: name, Kind: NotFound}
}

// List describes all queues, sorted by lower-case name.
func (b *Broker) List() []Description {
	b.mu.Lock()
	entities := maps.Clone(b.entities)
	b.mu.Unlock()
	list := make([]Description, 0, len(entities))
	for _, name := range slices.Sorted(maps.Keys(entities)) {
		if d, ok := entities[name].describe(); ok {
			list = append(list, d)
		}
	}
	return list
}

// Open finds the queue for a path: NAME, NAME/$DeadLetterQueue or
// NAME/$Transfer/$DeadLetterQueue, in any case and with or without a leading
// slash. It reports NotFound.
func (b *Broker) Open(path string) (*Queue, error) {
	name, suffix := strings.TrimPrefix(path, "/"), ""
	if i := strings.Index(name, "/$"); i >= 0 {
		name, suffix = name[:i], name[i:]
	}
	if e := b.lookup(name); e != nil {
		if q := e.part(suffix); q != nil {
			return q, nil
		}
	}
	return nil, &Error{Op: "open", Queue: path, Kind: NotFound}
}

// lookup returns the entity of a name, or nil.
func (b *Broker) lookup(name string) *entity {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.entities[key(name)]
}

// key is the form of a name in which case does not matter.
func key(name string) string { return strings.ToLower(name) }
