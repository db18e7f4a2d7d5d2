package probe

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// TestProbeStops ends a probe by its context and by an answer that stays, and
// expects no further call.
func TestProbeStops(t *testing.T) {
	t.Parallel()
	forbidden := &signer.Error{Code: schema.CodeForbidden, Message: "no"}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		p := Prober{Cost: 1, Burst: 1000, Concurrency: 10, Every: time.Second / 4, Watch: 30 * time.Second, Say: func() {}}
		begun := time.Now()
		p.Call = func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		if _, err := p.Run(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 5*time.Second {
			t.Errorf("got %v after %s, want the deadline after 5s", err, time.Since(begun))
		}
		p.Call = func(context.Context) error { return forbidden }
		begun = time.Now()
		if _, err := p.Run(t.Context()); !errors.Is(err, forbidden) || time.Since(begun) != 0 {
			t.Errorf("got %v after %s, want the refusal at once", err, time.Since(begun))
		}
	})
}
