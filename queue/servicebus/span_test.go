package servicebus

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// hang waits for its context.
func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestSpanBoundsAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		tried, err := newSpan().try(t.Context(), hang)
		if !tried || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, %v, want deadline exceeded", tried, err)
		}
		if got := time.Since(started); got != linkAttempt {
			t.Errorf("got an attempt of %v, want %v", got, linkAttempt)
		}
	})
}

func TestSpanEndCancelsAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSpan()
		started := time.Now()
		results := make(chan error)
		for range 3 {
			go func() {
				_, err := s.try(t.Context(), hang)
				results <- err
			}()
		}
		synctest.Wait()
		s.end()
		for range 3 {
			if err := <-results; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want canceled", err)
			}
		}
		if got := time.Since(started); got != 0 {
			t.Errorf("got attempts of %v, want none longer than the span", got)
		}
		if tried, err := s.try(t.Context(), hang); tried || err != nil {
			t.Errorf("after the end: got %v, %v, want no attempt", tried, err)
		}
		if len(s.attempts) != 0 {
			t.Errorf("attempts left: got %d, want 0", len(s.attempts))
		}
	})
}

func TestShynessEnds(t *testing.T) {
	t.Parallel()
	var s shyness
	now := time.Unix(1000, 0)
	if got := s.limit(7, now); got != 7 {
		t.Errorf("at first: got %d, want 7", got)
	}
	s.startled(now)
	if got := s.limit(7, now.Add(shyFor-1)); got != 1 {
		t.Errorf("when startled: got %d, want 1", got)
	}
	if got := s.limit(7, now.Add(shyFor)); got != 7 {
		t.Errorf("later: got %d, want 7", got)
	}
	if got := s.limit(1e6, now.Add(shyFor)); got != 5000 {
		t.Errorf("large limit: got %d, want 5000", got)
	}
}
