package worker

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	const s = time.Second
	var (
		outage    = &signer.Error{Code: schema.CodeUnavailable}
		busy      = &signer.Error{Code: schema.CodeUnavailable, RetryAfter: 40 * s}
		throttled = fmt.Errorf("item 3: %w", &signer.Error{Code: schema.CodeThrottled, RetryAfter: 20 * s})
		soon      = &signer.Error{Code: schema.CodeThrottled, RetryAfter: s}
		asksLong  = &signer.Error{Code: schema.CodeThrottled, RetryAfter: 24 * time.Hour}
		timeout   = fmt.Errorf("sign: %w", context.DeadlineExceeded)
	)
	// The usual trial: the second of four attempts, with a pause of 2 s.
	usual := func(cause error, change ...func(*trial)) trial {
		t := trial{cause: cause, attempts: 2, most: 4, notAfter: forever, tooOld: forever, pause: 2 * s, scheduled: true, inHand: true}
		for _, c := range change {
			c(&t)
		}
		return t
	}
	last := func(t *trial) { t.attempts = 4 }
	beyond := func(t *trial) { t.attempts = 9 }
	old := func(t *trial) { t.tooOld = 2 * s }
	late := func(t *trial) { t.notAfter = 2 * s }
	inTime := func(t *trial) { t.notAfter, t.tooOld = 2*s+1, 2*s+1 }
	plain := func(t *trial) { t.scheduled = false }
	ending := func(t *trial) { t.ending = true }
	gone := func(t *trial) { t.inHand = false }
	long := func(t *trial) { t.pause = shortWait + 1 }
	tests := []struct {
		name string
		trial
		want decision
	}{
		{"short outage", usual(outage), decision{stepAgain, 2 * s, false}},
		{"in time", usual(outage, inTime), decision{stepAgain, 2 * s, false}},
		{"long pause", usual(outage, long), decision{stepLater, shortWait + 1, false}},
		{"vault asks to wait", usual(busy), decision{stepLater, 42 * s, false}},
		{"job not here", usual(outage, gone), decision{stepLater, 2 * s, false}},
		{"out of time", usual(timeout), decision{stepLater, 2 * s, false}},
		{"defect", usual(errDefect), decision{stepAgain, 2 * s, false}},
		{"drain goes on", usual(outage, ending), decision{stepLater, 2 * s, false}},
		{"last attempt", usual(outage, last), decision{stepExhausted, 2 * s, false}},
		{"beyond the last", usual(outage, beyond), decision{stepExhausted, 2 * s, false}},

		{"quota, soon", usual(soon), decision{stepAgain, 3 * s, true}},
		{"quota", usual(throttled), decision{stepLater, 22 * s, true}},
		{"quota, last attempt", usual(throttled, last), decision{stepLater, 22 * s, true}},
		{"quota, beyond measure", usual(asksLong), decision{stepLater, longestHint + 2*s, true}},
		{"quota, too old", usual(throttled, old), decision{stepExhausted, 22 * s, true}},
		{"quota, sender does not wait", usual(throttled, late), decision{stepTooLate, 22 * s, true}},

		{"drained", usual(errDrained, ending), decision{stepLater, 0, true}},
		{"drained, last attempt", usual(errDrained, ending, last), decision{stepLater, 0, true}},
		{"drained, abandoned", usual(errDrained, ending, plain, last), decision{stepLater, 0, false}},

		{"reply queue in trouble, last attempt", usual(errUnsendable, last), decision{stepLater, longestUnsendable + 2*s, true}},

		{"others need its place, last attempt", usual(stillError{time.Minute}, gone, last), decision{stepLater, 2 * s, true}},
		{"others need its place, too old", usual(stillError{time.Minute}, gone, old), decision{stepExhausted, 2 * s, true}},

		{"too old", usual(outage, old), decision{stepExhausted, 2 * s, false}},
		{"sender does not wait", usual(outage, late), decision{stepTooLate, 2 * s, false}},
		{"sender does not wait, last attempt", usual(outage, late, last), decision{stepTooLate, 2 * s, false}},

		{"abandoned", usual(outage, plain), decision{stepLater, 2 * s, false}},
		{"abandoned, quota", usual(throttled, plain), decision{stepLater, 22 * s, false}},
		{"abandoned, quota, last attempt", usual(throttled, plain, last), decision{stepExhausted, 22 * s, false}},
		{"abandoned, beyond measure", usual(asksLong, plain), decision{stepLater, longestRest, false}},
		{"unknown", usual(errors.New("x"), long, plain), decision{stepLater, shortWait + 1, false}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := decide(tt.trial); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestPauseBefore counts the longest pause after each attempt.
func TestPauseBefore(t *testing.T) {
	t.Parallel()
	whole := func(d time.Duration) time.Duration { return d }
	for attempts, want := range map[int]time.Duration{
		0: time.Second, 1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 6: 30 * time.Second,
		100: 30 * time.Second, 1 << 40: 30 * time.Second,
	} {
		if got := pauseBefore(attempts, longestIdling, whole); got != want {
			t.Errorf("after attempt %d: got %v, want %v", attempts, got, want)
		}
	}
	if got := pauseBefore(1000, LongestPause, whole); got != LongestPause {
		t.Errorf("after many attempts: got %v, want %v", got, LongestPause)
	}
}
