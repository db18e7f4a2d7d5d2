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

// awsAdaptive drives the adaptive mode of the AWS SDK as that SDK's own
// middleware does: a token for each attempt, three attempts at most, the
// worker held meanwhile. It counts calls, not units.
func awsAdaptive() contestant {
	return contestant{name: "aws", workers: 64, open: func(_ context.Context, s seat) job {
		mode := retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) { o.FailOnNoAttemptTokens = true })
		turn := make(chan struct{}, 1) // held by the worker that waits for a token
		return func(ctx context.Context, k Key) error {
			repaid := func(error) error { return nil }
			for attempt := 1; ; attempt++ {
				turn <- struct{}{}
				release, err := awsToken(ctx, mode)
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

// awsToken asks for a token every 10 ms. The limiter's own wait would round
// its last nanosecond down to nothing, and where the clock stands still
// meanwhile it would do so for ever. Sleeping as long as it says in a single
// worker, not in all, would miss what the others change: 20 points of goodput
// with few replicas.
func awsToken(ctx context.Context, mode *retry.AdaptiveMode) (release func(error) error, err error) {
	for {
		if release, err = mode.GetAttemptToken(ctx); err == nil {
			return release, nil
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return nil, err
		}
	}
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
