package servicebus

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPaceGrowsToItsLimitAndStartsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPace(slog.New(slog.DiscardHandler), 15*time.Second)
		pauses := make([]time.Duration, 30)
		for i := range pauses {
			p.failed(0)
			pauses[i] = paused(t.Context(), p)
		}
		if first := pauses[0]; first < firstPause/2 || first > firstPause*3/2 {
			t.Errorf("first pause: got %v, want %v with jitter", first, firstPause)
		}
		for _, late := range pauses[8:11] {
			if late < 15*time.Second/2 || late > 15*time.Second*3/2 {
				t.Errorf("late pause: got %v, want 15 s with jitter", late)
			}
		}
		for _, probe := range pauses[25:] { // two minutes are over by far
			if probe < 15*time.Second || probe > 45*time.Second {
				t.Errorf("pause between probes: got %v, want 30 s with jitter", probe)
			}
		}
		p.succeeded()
		if got := paused(t.Context(), p); got != 0 {
			t.Errorf("pause after a success: got %v, want none", got)
		}
		p.failed(time.Minute)
		if got := paused(t.Context(), p); got > firstPause*3/2 {
			t.Errorf("pause after a long wait: got %v, want a short one", got)
		}
	})
}

func paused(ctx context.Context, p *pace) time.Duration {
	started := time.Now()
	p.wait(ctx, nil, nil)
	return time.Since(started)
}

func TestPaceIsCutShort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPace(slog.New(slog.DiscardHandler), time.Hour)
		for range 20 {
			p.failed(0)
			p.backoff.NextBackOff()
		}
		closed := make(chan struct{})
		close(closed)
		started := time.Now()
		p.wait(t.Context(), closed, nil)
		p.wait(t.Context(), nil, closed)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p.wait(ctx, nil, nil)
		if waited := time.Since(started); waited != 0 {
			t.Errorf("got a wait of %v, want none", waited)
		}
	})
}

func TestPaceReportsEachChangeOnce(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := newPace(slog.New(slog.NewTextHandler(&out, nil)), time.Second)
	fail := func(lasted time.Duration) {
		p.failed(lasted)
		p.tell(errors.New("refused"))
	}
	p.succeeded()
	for range 5 {
		fail(0)
	}
	p.succeeded()
	p.succeeded()
	fail(0)
	fail(time.Minute) // restored in between
	p.succeeded()
	p.failed(0) // returned to the caller, who knows
	p.succeeded()
	got := out.String()
	if n := strings.Count(got, "receive interrupted"); n != 3 {
		t.Errorf("interruptions reported: got %d, want 3 in\n%s", n, got)
	}
	if n := strings.Count(got, "receive restored"); n != 3 {
		t.Errorf("restorations reported: got %d, want 3 in\n%s", n, got)
	}
	if !strings.Contains(got, "failures=5") {
		t.Errorf("want the number of failures in\n%s", got)
	}
}
