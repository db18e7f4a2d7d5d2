package worker

import (
	"log/slog"
	"testing"
	"time"
)

// TestDefaults holds the documented values of zeros.
func TestDefaults(t *testing.T) {
	t.Parallel()
	c := Config{}.withDefaults()
	if c.Concurrency != 64 || c.JobsHeld != 128 || c.MaxDeliveries != 10 {
		t.Errorf("got %d items, %d jobs and %d deliveries, want 64, 128 and 10", c.Concurrency, c.JobsHeld, c.MaxDeliveries)
	}
	if c.JobTimeout != 5*time.Minute || c.DrainTimeout != 25*time.Second {
		t.Errorf("got %v for a job and %v for a drain, want 5m and 25s", c.JobTimeout, c.DrainTimeout)
	}
	if c.Log != slog.Default() {
		t.Error("the log is not the default one")
	}
	if c := (Config{Concurrency: 5}).withDefaults(); c.JobsHeld != 10 {
		t.Errorf("got %d jobs held, want twice the concurrency of 5", c.JobsHeld)
	}
}
