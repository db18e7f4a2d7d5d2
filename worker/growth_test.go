package worker_test

import (
	"math/rand/v2"
	"testing"
	"time"
)

// growth is a line through samples.
type growth struct {
	least, most, mean float64
	slope             float64 // in an hour
	span              time.Duration
}

// growthOf fits a line by least squares.
func growthOf(samples []sample, of func(sample) float64) growth {
	first, last := samples[0], samples[len(samples)-1]
	g := growth{least: of(first), most: of(first), span: last.at - first.at}
	var sumX, sumY, sumXX, sumXY float64
	for _, s := range samples {
		x, y := s.at.Hours(), of(s)
		g.least, g.most = min(g.least, y), max(g.most, y)
		sumX, sumY, sumXX, sumXY = sumX+x, sumY+y, sumXX+x*x, sumXY+x*y
	}
	n := float64(len(samples))
	g.mean = sumY / n
	g.slope = (n*sumXY - sumX*sumY) / (n*sumXX - sumX*sumX)
	return g
}

// share is the growth over the span as a part of the mean.
func (g growth) share() float64 { return g.slope * g.span.Hours() / g.mean }

// grows reports whether the line rises by more than a tenth over the span, and
// by more than five, which a few goroutines or descriptors more or less may do.
func (g growth) grows() bool { return g.share() > 0.1 && g.slope*g.span.Hours() > 5 }

// TestGrowth tells a leak from noise.
func TestGrowth(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		of   func(i int) float64
		want bool
	}{
		"flat":            {func(int) float64 { return 50 }, false},
		"noisy":           {func(int) float64 { return 50 + 5*rand.Float64() }, false},
		"falling":         {func(i int) float64 { return 200 - float64(i) }, false},
		"one more":        {func(i int) float64 { return 10 + float64(i/50) }, false},
		"leak":            {func(i int) float64 { return 50 + float64(i) }, true},
		"leak with noise": {func(i int) float64 { return 50 + float64(i)/2 + 5*rand.Float64() }, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var samples []sample
			for i := range 100 {
				samples = append(samples, sample{at: time.Duration(i) * time.Second, heap: tt.of(i)})
			}
			if g := growthOf(samples, func(s sample) float64 { return s.heap }); g.grows() != tt.want {
				t.Errorf("got %+v, which grows: %t, want %t", g, g.grows(), tt.want)
			}
		})
	}
}
