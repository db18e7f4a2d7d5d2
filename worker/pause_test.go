package worker

import (
	"testing"
	"time"
)

// TestPauseBefore counts the longest pause after each attempt.
func TestPauseBefore(t *testing.T) {
	t.Parallel()
	longest := func(d time.Duration) time.Duration { return d }
	for count, want := range map[int]time.Duration{
		0: time.Second, 1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 6: 30 * time.Second,
		100: 30 * time.Second, 1 << 40: 30 * time.Second,
	} {
		if got := pauseBefore(count, longest); got != want {
			t.Errorf("after delivery %d: got %v, want %v", count, got, want)
		}
	}
}
