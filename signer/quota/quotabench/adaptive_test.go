package quotabench

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/adaptivethrottler"
)

// awsRefusal is a 429 in the words that the AWS retryer knows.
type awsRefusal struct{ error }

func (awsRefusal) ErrorCode() string { return "ThrottlingException" }

func (r awsRefusal) Unwrap() error { return r.error }

// lateContext makes whoever listens to it late, as timers are in a real
// process. The AWS limiter rounds its last wait down to nothing, and where a
// clock stands still meanwhile it would do so for ever.
type lateContext struct{ context.Context }

func (c lateContext) Done() <-chan struct{} {
	_ = pause(c.Context, lateness/2)
	return c.Context.Done()
}

// awsAdaptive drives the adaptive mode of the AWS SDK as that SDK's own
// middleware does: a token for each attempt, three attempts at most, the
// worker held meanwhile. It counts calls, not units. One worker at a time
// waits for a token; which one, the limiter does not care.
func awsAdaptive() contestant {
	return contestant{name: "aws", workers: 64, open: func(_ context.Context, s seat) job {
		mode, turn := retry.NewAdaptiveMode(), make(chan struct{}, 1)
		return func(ctx context.Context, k Key) error {
			repaid := func(error) error { return nil }
			for attempt := 1; ; attempt++ {
				turn <- struct{}{}
				release, err := mode.GetAttemptToken(lateContext{ctx})
				<-turn
				if err != nil {
					return err
				}
				if err = s.link.Call(ctx, k); refused(err) {
					err = awsRefusal{err}
				}
				_, _ = release(err), repaid(err)
				if err == nil || attempt == mode.MaxAttempts() || !mode.IsErrorRetryable(err) {
					return err
				}
				if repaid, err = awsPause(ctx, mode, attempt, err); err != nil {
					return err
				}
			}
		}
	}}
}

// awsPause pays for the next attempt and waits until it may start. It returns
// the cause when there is none.
func awsPause(ctx context.Context, mode *retry.AdaptiveMode, attempt int, cause error) (repaid func(error) error, err error) {
	if repaid, err = mode.GetRetryToken(ctx, cause); err != nil {
		return nil, cause
	}
	wait, err := mode.RetryDelay(attempt, cause)
	if err != nil {
		return nil, cause
	}
	return repaid, pause(ctx, wait)
}

// The waits of the two failsafe-go contestants.
const (
	failsafeAsk  = 50 * time.Millisecond  // after a permit that was not to be had
	failsafeDrop = 800 * time.Millisecond // after a 429
)

// failsafeLimiter is failsafe-go's adaptive limiter as it comes: a bound on
// calls in flight that follows latency.
func failsafeLimiter() contestant {
	return contestant{name: "failsafe-limiter", workers: 64, open: func(_ context.Context, s seat) job {
		limiter := adaptivelimiter.NewWithDefaults[any]()
		return func(ctx context.Context, k Key) error {
			for {
				permit, ok := limiter.TryAcquirePermit()
				wait := failsafeAsk
				if ok {
					err := s.link.Call(ctx, k)
					if !refused(err) {
						permit.Record()
						return err
					}
					permit.Drop()
					wait = failsafeDrop
				}
				if err := pause(ctx, wait); err != nil {
					return err
				}
			}
		}
	}}
}

// failsafeThrottler is failsafe-go's adaptive throttler as it comes: it
// refuses a share of the calls that follows the share of failures.
func failsafeThrottler() contestant {
	return contestant{name: "failsafe-throttler", workers: 64, open: func(_ context.Context, s seat) job {
		throttler := adaptivethrottler.NewWithDefaults[any]()
		return func(ctx context.Context, k Key) error {
			for {
				wait := failsafeAsk
				if throttler.TryAcquirePermit() {
					err := s.link.Call(ctx, k)
					if !refused(err) {
						throttler.RecordSuccess()
						return err
					}
					throttler.RecordFailure()
					wait = failsafeDrop
				}
				if err := pause(ctx, wait); err != nil {
					return err
				}
			}
		}
	}}
}
