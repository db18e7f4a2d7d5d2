package broker

import "io"

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
type Broker struct{}

// New returns an empty broker. Close stops its timers.
func New(c Config) *Broker { return &Broker{} }

// Close deletes all queues and stops their timers. Changed is not called.
// Methods of queues and consumers then report NotFound, and Create reports
// Closed. Timer calls that are under way find nothing to do.
func (b *Broker) Close() {}

// Create makes a queue. A name has up to 260 letters, digits, dots, hyphens,
// underscores and slashes, with a letter or digit at both ends. It reports
// Exists or Invalid; Invalid lists all faults.
func (b *Broker) Create(name string, p Properties) (Description, error) { return Description{}, nil }

// Update replaces all properties of a queue; zero fields mean the default, as
// in Create. RequiresSession and RequiresDuplicateDetect must stay as they
// are. Messages keep the life they were given. It reports NotFound or Invalid.
func (b *Broker) Update(name string, p Properties) (Description, error) { return Description{}, nil }

// Delete removes a queue with its messages, locks and sessions. Waiting
// accepts end. It reports NotFound.
func (b *Broker) Delete(name string) error { return nil }

// Get describes a queue. It reports NotFound.
func (b *Broker) Get(name string) (Description, error) { return Description{}, nil }

// List describes all queues, sorted by lower-case name.
func (b *Broker) List() []Description { return nil }

// Open finds the queue for a path: NAME, NAME/$DeadLetterQueue or
// NAME/$Transfer/$DeadLetterQueue, in any case and with or without a leading
// slash. It reports NotFound.
func (b *Broker) Open(path string) (*Queue, error) { return nil, nil }
