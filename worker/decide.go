package worker

import (
	"errors"
	"math"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// trial is what is known of a job when an attempt at it failed in a way that
// may pass.
type trial struct {
	cause     error         // of the failure
	attempts  int           // made so far, this one included
	most      int           // attempts that a job may have
	notAfter  time.Duration // until the sender's deadline; forever: there is none
	tooOld    time.Duration // until the job has been given back for long enough, or expires; forever: never
	pause     time.Duration // drawn for this attempt, see pauseBefore
	scheduled bool          // a job can be given back for later
	ending    bool          // the worker takes nothing more in
	inHand    bool          // the job is here and can be tried again
}

const forever = time.Duration(math.MaxInt64)

// step is what follows an attempt that failed.
type step string

// The steps.
const (
	stepAgain     step = "try again under the lock"
	stepLater     step = "give the job back"
	stepTooLate   step = "answer that its time is over"
	stepExhausted step = "dead-letter"
)

// decision is a step, and how long to wait before it bears fruit.
type decision struct {
	step step
	wait time.Duration
	free bool // the attempt does not count
}

// shortWait is the longest wait under the lock. It takes a place from other
// jobs, and a delivery that is held counts as work for those who scale by it.
const shortWait = 5 * time.Second

// longestRest is the longest that a job is kept before it is abandoned, where
// it cannot be given back for later.
const longestRest = time.Minute

// decide says what follows. It depends on its arguments only.
//
// Waiting for the quota is no fault of a job, and neither is a drain, a reply
// queue in trouble, or that others need its place: where jobs can be given back
// for later they cost no attempt.
// Where they cannot, whatever is given back counts as delivered, and the broker
// itself ends the job some time.
func decide(t trial) decision {
	drained, unsendable := errors.Is(t.cause, errDrained), errors.Is(t.cause, errUnsendable)
	d := decision{step: stepLater, wait: hinted(t.cause) + t.pause}
	d.free = t.scheduled && (drained || unsendable || errors.Is(t.cause, errStandstill) || waitsForQuota(t.cause))
	if unsendable {
		d.wait += longestUnsendable
	}
	if !t.scheduled {
		d.wait = min(d.wait, longestRest)
	}
	if drained {
		d.wait = 0
	}
	switch {
	case d.wait >= t.notAfter:
		d.step = stepTooLate
	case !d.free && !drained && t.attempts >= t.most, d.wait >= t.tooOld:
		d.step = stepExhausted
	case t.inHand && t.scheduled && !t.ending && d.wait <= shortWait && !isContextError(t.cause):
		d.step = stepAgain
	}
	return d
}

// waitsForQuota reports whether a call was refused for the quota's sake alone,
// by the vault or by the gate before it.
func waitsForQuota(cause error) bool {
	e, ok := errors.AsType[*signer.Error](cause)
	return ok && e.Code == schema.CodeThrottled
}

// longestHint bounds the pause that a failure asks for.
const longestHint = 10 * time.Minute

// hinted returns how long the cause of a failure asks to wait: what the vault
// said, or when the quota would have allowed the call. A job that came again
// before would lose an attempt for nothing.
func hinted(cause error) time.Duration {
	if e, ok := errors.AsType[*signer.Error](cause); ok {
		return min(longestHint, max(0, e.RetryAfter))
	}
	return 0
}

// LongestPause is the longest time for which a job is put off, unless the vault
// or the quota asks for more.
const LongestPause = 10 * time.Minute

// longestIdling is the same for a job that is abandoned.
const longestIdling = 30 * time.Second

// pauseBefore returns the pause after so many attempts, so that a vault in
// trouble does not burn a job's attempts at once: full jitter over 1 s doubled
// with each attempt, up to the longest.
func pauseBefore(attempts int, longest time.Duration, random func(time.Duration) time.Duration) time.Duration {
	return random(min(time.Second<<min(max(attempts-1, 0), 20), longest))
}
