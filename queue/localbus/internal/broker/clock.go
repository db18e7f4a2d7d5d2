package broker

import "time"

// Clock tells the time and calls back. Its readings must not run backwards.
type Clock interface {
	// Now returns the present time.
	Now() time.Time

	// AfterFunc calls f once after d, in a goroutine of its own. A d of zero
	// or less means at once.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is one pending call of a [Clock].
type Timer interface {
	// Stop prevents the call and reports whether it did: false means that
	// the call was made or is under way.
	Stop() bool
}

// WallClock is the clock of package time.
type WallClock struct{}

// Now returns the present time.
func (WallClock) Now() time.Time { return time.Now() }

// AfterFunc calls f once after d, in a goroutine of its own.
func (WallClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }
