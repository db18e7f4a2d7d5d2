package servicebus

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// firstPause is the mean of the first pause after a failure.
const firstPause = 200 * time.Millisecond

// cutAfter is how long calls may fail before they are cut down to probes, whose
// pauses are twice the longest: what fails for so long needs people, and a fleet
// that keeps knocking makes it worse. The first call that succeeds ends it.
const cutAfter = 2 * time.Minute

// pace spaces out the calls on a link that fails, and reports each change of
// its state once. The goroutine that calls Receive owns it.
type pace struct {
	log      *slog.Logger
	backoff  *backoff.ExponentialBackOff
	longest  time.Duration // of a pause
	failures int           // in a row; zero: the link works
	since    time.Time     // of the first of them
	told     bool          // that the link fails
}

func newPace(log *slog.Logger, longest time.Duration) *pace {
	return &pace{log: log, longest: longest, backoff: newBackoff(longest)}
}

// newBackoff doubles from firstPause to longest, each pause spread over half
// to one and a half of its mean. It never gives up.
func newBackoff(longest time.Duration) *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = min(firstPause, longest)
	b.MaxInterval = longest
	b.Multiplier = 2
	b.MaxElapsedTime = 0
	b.Reset()
	return b
}

// wait pauses after a failure, until the pause is over, ctx ends or one of the
// channels is closed.
func (p *pace) wait(ctx context.Context, closed, allClosed <-chan struct{}) {
	if p.failures == 0 {
		return
	}
	pause := p.backoff.NextBackOff()
	if p.cut() {
		pause = p.longest + rand.N(2*p.longest+1)
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-closed:
	case <-allClosed:
	}
}

// cut reports whether calls are cut down to probes.
func (p *pace) cut() bool { return p.failures > 0 && time.Since(p.since) > cutAfter }

// failed counts a failure of a call that lasted for some time. A call that
// lasted longer than the longest pause was waiting on a link that worked, so
// that pauses start small again.
func (p *pace) failed(lasted time.Duration) {
	if lasted > p.longest {
		p.succeeded()
	}
	p.failures++
	if p.failures == 1 {
		p.since = time.Now()
	}
}

// tell reports the first failure of a row that nobody else is told of.
func (p *pace) tell(err error) {
	if !p.told {
		p.told = true
		p.log.Warn("receive interrupted", "error", err)
	}
}

// succeeded ends a row of failures.
func (p *pace) succeeded() {
	if p.failures == 0 {
		return
	}
	if p.told {
		p.log.Info("receive restored", "failures", p.failures, "after", time.Since(p.since))
	}
	p.failures, p.told = 0, false
	p.backoff.Reset()
}
