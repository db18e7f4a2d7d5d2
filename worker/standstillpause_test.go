package worker

import (
	"testing"
	"time"
)

// TestStandstillPause: a job comes back after as long as the silence at most, in time
// for its sender, and never at once.
func TestStandstillPause(t *testing.T) {
	const s = time.Second
	for _, test := range []struct{ silent, left, least, most time.Duration }{
		{15 * s, forever, 15 * s, 30 * s},
		{time.Minute, forever, 30 * s, time.Minute},
		{24 * time.Hour, forever, 150 * s, 5 * time.Minute},
		{24 * time.Hour, time.Minute, 30 * s, 30 * s},
		{24 * time.Hour, s, s, s},
	} {
		e := stillError{test.silent}
		least := e.pause(test.left, func(time.Duration) time.Duration { return 0 })
		most := e.pause(test.left, func(n time.Duration) time.Duration { return n })
		if least != test.least || most != test.most {
			t.Errorf("after %s, with %s left: %s to %s, want %s to %s", test.silent, test.left, least, most, test.least, test.most)
		}
	}
}
