package quota

import "testing"

func TestLimitFollowsRateAndLatency(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		calls, latency float64
		least, most    int
	}{
		"200 calls/s at 90 ms":  {200, 0.09, 19, 28},
		"400 calls/s at 90 ms":  {400, 0.09, 37, 46},
		"400 calls/s at 500 ms": {400, 0.5, 200, 230},
		"a slow vault":          {400, 30, 256, 256},
		"hardly any calls":      {0.5, 0.09, 8, 8},
	} {
		l := newLimit(256, false)
		for range 1000 {
			l.observe(c.latency, 10)
		}
		if got := l.at(c.calls); got < c.least || got > c.most {
			t.Errorf("%s: got %d, want %d..%d", name, got, c.least, c.most)
		}
	}
}

// TestLimitWithoutRate drives a pool that does so many calls at once and
// queues the others.
func TestLimitWithoutRate(t *testing.T) {
	t.Parallel()
	for _, parallel := range []float64{4, 20, 60} {
		l := newLimit(256, true)
		for range 200_000 {
			n := float64(l.at(0))
			l.observe(0.02*max(1, n/parallel), int(n))
		}
		got := float64(l.at(0))
		if got < parallel || got > 3*parallel+12 {
			t.Errorf("%v at once: the limit settles at %v", parallel, got)
		}
		for range 50 {
			l.failed()
		}
		if got := l.at(0); got > 2+int(parallel/20) {
			t.Errorf("%v at once: after 50 failures the limit is %d", parallel, got)
		}
	}
}
