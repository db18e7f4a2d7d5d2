package worker

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
)

// TestLockTime names how long a lock seems to last, and what is known of the
// difference between the clocks.
func TestLockTime(t *testing.T) {
	t.Parallel()
	const s = time.Second
	tests := map[string]struct{ left, ahead, want time.Duration }{
		"one clock":                       {60 * s, 0, 60 * s},
		"one clock, almost":               {61 * s, s, 60 * s},
		"one clock, longest":              {300 * s, -s, 300 * s},
		"ahead":                           {90 * s, 60 * s, 30 * s},
		"ahead, short lock":               {65 * s, 60 * s, 5 * s},
		"ahead, long lock":                {360 * s, 60 * s, 30 * s},
		"behind":                          {-30 * s, -60 * s, 5 * s},
		"behind, long lock":               {240 * s, -60 * s, 30 * s},
		"backlog, or behind":              {10 * s, -3600 * s, 10 * s},
		"backlog and ahead":               {70 * s, -3600 * s, 30 * s},
		"nothing known":                   {60 * s, farBack, 30 * s},
		"nothing known, lock already out": {-60 * s, farBack, 5 * s},
		"what no broker says":             {1 << 62, farBack, 30 * s},
		"when no broker was":              {60 * s, -1 << 63, 30 * s},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := lockTime(tt.left, tt.ahead); got != tt.want {
				t.Errorf("lockTime(%v, %v) = %v, want %v", tt.left, tt.ahead, got, tt.want)
			}
		})
	}
}

// TestMeterForgets moves a broker's clock: what was known of it before is
// forgotten in time.
func TestMeterForgets(t *testing.T) {
	t.Parallel()
	m, now := newMeter(), time.Now()
	receive := func(ahead time.Duration) time.Duration {
		broker := now.Add(ahead)
		return m.receive(queue.NewDelivery(queue.Message{}, queue.Receipt{EnqueuedAt: broker, LockedUntil: broker.Add(time.Minute)}, nil), now)
	}
	if got := receive(time.Minute); got != cautiousMax {
		t.Errorf("clock ahead: lock of %v, want %v", got, cautiousMax)
	}
	for range 2 {
		now = now.Add(stretch + 1)
		receive(0)
	}
	if got := receive(0); got != time.Minute {
		t.Errorf("clocks agree again: lock of %v, want 1m", got)
	}
}

// unhurried is a lock that is never renewed, because nothing is held so long.
type unhurried struct{}

func (unhurried) Renew(context.Context) (time.Time, error)       { return time.Time{}, errDefect }
func (unhurried) Settle(context.Context, queue.Settlement) error { return nil }

// BenchmarkKeep holds a delivery and lets go of it, among others that are held:
// with the keeper, and with a goroutine and a timer for each.
func BenchmarkKeep(b *testing.B) {
	d := queue.NewDelivery(queue.Message{}, queue.Receipt{}, unhurried{})
	b.Run("keeper", func(b *testing.B) {
		k := newKeeper()
		ctx, end := context.WithCancel(b.Context())
		var running sync.WaitGroup
		running.Go(func() { k.run(ctx) })
		held(b, func(ctx context.Context) func() {
			_, letGo := k.keep(ctx, d, time.Minute)
			return letGo
		})
		end()
		running.Wait()
	})
	b.Run("goroutine", func(b *testing.B) {
		held(b, func(ctx context.Context) func() { return keepAlone(ctx, d, time.Minute) })
	})
}

// held keeps 128 deliveries while others come and go.
func held(b *testing.B, keep func(context.Context) func()) {
	for range 128 {
		defer keep(b.Context())()
	}
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		keep(b.Context())()
	}
	b.StopTimer()
}

// keepAlone is what the keeper saves.
func keepAlone(ctx context.Context, d *queue.Delivery, lock time.Duration) func() {
	ctx, cancel := context.WithCancelCause(ctx)
	var renewal sync.WaitGroup
	renewal.Go(func() {
		for ctx.Err() == nil {
			rest(ctx, nil, lock/3)
			if ctx.Err() != nil {
				return
			}
			if _, err := d.Renew(ctx); errors.Is(err, queue.ErrLockLost) {
				cancel(err)
			}
		}
	})
	return func() {
		cancel(nil)
		renewal.Wait()
	}
}
