package quotabench

import (
	"testing"
	"time"
)

// TestPeers checks the harness by figures that a separate simulation of the
// same model gave (K = 10, HSM RSA-2048, fixed window): another vault, another
// network or another way of counting would show here.
func TestPeers(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("runs of minutes of virtual time")
	}
	for _, tt := range []struct {
		peer               contestant
		goodput, throttled float64
		within             float64 // points
	}{
		{sdkDefault(32), 100, 36.5, 1.5},
		{sdkDefault(8), 100, 10.2, 1},
		{vendorBackoff(), 100, 18.5, 1},
		{staticSplit(), 99.5, 0, 0.05},
		{awsAdaptive(), 100, 6, 1},
	} {
		t.Run(tt.peer.name, func(t *testing.T) {
			t.Parallel()
			c := cell{steady(time.Minute, 12), Rules{Shape: Fixed}, mixes()[0], 10, tt.peer}
			f := c.run(t, 1)
			if diff(f.goodput, tt.goodput) > 0.1 || diff(f.throttled, tt.throttled) > tt.within {
				t.Errorf("goodput %.2f, throttled %.2f; want %.2f, %.2f", f.goodput, f.throttled, tt.goodput, tt.throttled)
			}
		})
	}
}

func diff(a, b float64) float64 { return max(a-b, b-a) }
