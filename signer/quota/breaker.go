package quota

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Breaker refuses calls while what they go to gives no answer: 5xx, time-outs,
// broken connections. Use one for each vault and one for each key. After
// Failures failures in a row it is open for a random time, twice as long at
// most after each further failure. Then one call may try.
//
// The zero value is ready for use. A Breaker must not be copied.
type Breaker struct {
	// Failures in a row that open it. Zero: 5.
	Failures int
	// Base and Cap bound the time that it is open: the n-th is drawn evenly
	// between zero and Base x 2^(n-1), at most Cap. Zeros: 1 s and 30 s.
	Base, Cap time.Duration
	// Patience is how long the one call may take before another may try.
	// Zero: 30 s.
	Patience time.Duration
	// Random is the source of the jitter, used under the breaker's lock.
	// nil: the runtime's.
	Random rand.Source

	mu     sync.Mutex // guards the fields below
	failed int        // in a row
	opened int        // times in a row
	until  time.Time  // no call before; zero while closed
	round  uint64     // counts changes between open and closed
}

// Try is the right to make one call past a Breaker.
type Try struct {
	breaker *Breaker
	round   uint64
}

// Enter returns a Try, or a [WaitError] with ErrOpen.
func (b *Breaker) Enter() (Try, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until.IsZero() {
		return Try{b, b.round}, nil
	}
	now := time.Now()
	if wait := b.until.Sub(now); wait > 0 {
		return Try{}, &WaitError{Err: ErrOpen, Wait: wait}
	}
	b.until = now.Add(orDefault(b.Patience, 30*time.Second)) // others wait for this one
	b.round++
	return Try{b, b.round}, nil
}

// Leave tells whether the call got an answer, of whatever kind. A call from
// before the breaker opened or closed says nothing any more.
func (t Try) Leave(answered bool) {
	b := t.breaker
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case t.round != b.round:
	case answered:
		if !b.until.IsZero() {
			b.round++
		}
		b.failed, b.opened, b.until = 0, 0, time.Time{}
	default:
		b.failed++
		if b.failed >= orDefault(b.Failures, 5) {
			b.open()
		}
	}
}

// Abandon gives a Try back that was not used, or whose call was given up for
// a reason of the caller's.
func (t Try) Abandon() {
	b := t.breaker
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if t.round == b.round && !b.until.IsZero() {
		b.until = time.Now() // the next may try
		b.round++
	}
}

// open opens the breaker, or keeps it open.
func (b *Breaker) open() {
	most, base := orDefault(b.Cap, 30*time.Second), orDefault(b.Base, time.Second)
	for range b.opened {
		if base = 2 * base; base >= most {
			break
		}
	}
	b.opened++
	b.round++
	b.until = time.Now().Add(time.Duration(b.draw() * float64(min(base, most))))
}

func (b *Breaker) draw() float64 {
	if b.Random == nil {
		return rand.Float64()
	}
	return rand.New(b.Random).Float64()
}

func orDefault[T comparable](value, standard T) T {
	orElse(&value, standard)
	return value
}
