package quotabench

import (
	"context"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"golang.org/x/time/rate"
)

// sdkDefault is azkeys as it comes: blocking workers, three retries.
func sdkDefault(workers int) contestant {
	return contestant{name: fmt.Sprintf("sdk-%d", workers), workers: workers, open: func(_ context.Context, s seat) job {
		client, params := sdk(s.t, s.link, policy.RetryOptions{}), rs256()
		return func(ctx context.Context, k Key) error {
			_, err := client.Sign(ctx, k.Name, version, params, nil)
			return err
		}
	}}
}

// vendorBackoff waits 1, 2, 4, 8, 16, 16, ... seconds, as the vendor's page
// on throttling says, with 20 % of jitter and no end.
func vendorBackoff() contestant {
	return contestant{name: "backoff", workers: 32, open: func(_ context.Context, s seat) job {
		return func(ctx context.Context, k Key) error {
			for wait := time.Second; ; wait = min(2*wait, 16*time.Second) {
				if err := s.link.Call(ctx, k); !refused(err) {
					return err
				}
				if err := pause(ctx, s.random.between(wait*8/10, wait*12/10)); err != nil {
					return err
				}
			}
		}
	}}
}

// staticSplit is x/time/rate at an exact part of 99.5 % of the quota. Refused
// calls pay again.
func staticSplit() contestant {
	return contestant{name: "split", workers: 64, open: func(_ context.Context, s seat) job {
		perSecond := 0.995 * s.planned / Window.Seconds() / float64(s.fleet.replicas)
		limiter := rate.NewLimiter(rate.Limit(perSecond), int(s.keys.dearest.Cost))
		return func(ctx context.Context, k Key) error {
			for {
				if err := limiter.WaitN(ctx, int(k.Cost)); err != nil {
					return err
				}
				if err := s.link.Call(ctx, k); !refused(err) {
					return err
				}
				if err := pause(ctx, s.random.between(500*time.Millisecond, 1500*time.Millisecond)); err != nil {
					return err
				}
			}
		}
	}}
}
