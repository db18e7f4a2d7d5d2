package quotabench

import (
	"math"
	"testing"
	"time"
)

// even is a ledger with one call of a cost every gap.
func even(gap, until time.Duration, cost float64, admitted func(i int) bool) (l Ledger) {
	for i := 0; time.Duration(i)*gap < until; i++ {
		l = append(l, Arrival{At: time.Duration(i) * gap, Replica: i % 2, Cost: cost, Admitted: admitted(i)})
	}
	return l
}

func always(int) bool { return true }

func TestRatios(t *testing.T) {
	l := even(sec, 100*sec, 1, func(i int) bool { return i%4 != 0 })
	if got := l.Throttled(); got != 25 {
		t.Errorf("throttled %v %%, want 25", got)
	}
	if got := l.Goodput(ten, 20*sec, 60*sec); math.Abs(got-75) > 1e-9 {
		t.Errorf("goodput %v %%, want 75", got)
	}
	if got := l.Between(10*sec, 12*sec); len(got) != 2 || got[0].At != 10*sec {
		t.Errorf("between 10 s and 12 s: %v", got)
	}
	if got := Ledger(nil).Throttled(); got != 0 {
		t.Errorf("of no calls %v %% were throttled", got)
	}
}

func TestGoodputFollowsQuota(t *testing.T) {
	l := even(sec, 20*sec, 1, func(i int) bool { return i < 10 || i%2 == 0 })
	if got := l.Goodput(halvedAt(10*sec), 0, 20*sec); math.Abs(got-100) > 1e-6 {
		t.Errorf("goodput %v %%, want 100", got)
	}
}

func TestJain(t *testing.T) {
	l := even(sec, 120*sec, 1, always)
	for _, tt := range []struct {
		replicas []int
		want     float64
	}{{[]int{0, 1}, 1}, {[]int{0, 1, 2, 3}, 0.5}, {[]int{7}, 0}} {
		if got := l.Jain(tt.replicas, time.Minute, 0, 2*time.Minute); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("of %v: %v, want %v", tt.replicas, got, tt.want)
		}
	}
}

func TestSteady(t *testing.T) {
	recovering := even(sec, 100*sec, 1, func(i int) bool { return i >= 43 })
	if got := recovering.Steady(ten, 95, 40*sec, 100*sec); got != 3*sec {
		t.Errorf("after %s, want 3s", got)
	}
	dead := even(sec, 100*sec, 1, func(i int) bool { return i < 95 })
	if got := dead.Steady(ten, 95, 40*sec, 100*sec); got != math.MaxInt64 {
		t.Errorf("after %s, want never", got)
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 2, 9}, 3}} {
		if got := Median(tt.values); got != tt.want {
			t.Errorf("of %v: %v, want %v", tt.values, got, tt.want)
		}
	}
	if got := Median(nil); !math.IsNaN(got) {
		t.Errorf("of nothing: %v", got)
	}
}
