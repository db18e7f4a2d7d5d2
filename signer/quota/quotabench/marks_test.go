package quotabench

import (
	"slices"
	"testing"
	"time"
)

// mark is what the gate has to reach in the median of five runs. The zero
// value of a limit is no limit.
type mark struct {
	scenario   scenario
	shapes     []Shape
	keys       string
	replicas   []int
	contestant contestant

	goodput, jain               float64 // at least
	throttled, refused, settled float64 // at most
}

// windows are the shapes that all marks hold for: they have a single counter,
// and between them the edges, the memory and the burst that a vault may have.
var windows = []Shape{Fixed, SlidingLog, SmallBucket}

func marks() []mark {
	brief := steady(20*time.Second, 6)
	halve := halving(60*time.Second, 350*time.Second, 0)
	return []mark{
		{scenario: brief, shapes: windows, keys: "uniform", replicas: []int{1, 3, 10, 50},
			contestant: gateDNS(), goodput: 99.3, throttled: 0.05, jain: 0.999},
		{scenario: brief, shapes: []Shape{Fixed}, keys: "uniform", replicas: []int{10},
			contestant: gateStatic(), goodput: 99.3, throttled: 0.05, jain: 0.999},
		{scenario: steady(time.Minute, 24), shapes: []Shape{SlidingLog}, keys: "mixed", replicas: []int{50},
			contestant: gateDNS(), goodput: 97, throttled: 0.5},
		{scenario: scaling(), shapes: windows, keys: "uniform", replicas: []int{50},
			contestant: gateDNS(), refused: 20, settled: 12},
		{scenario: halve, shapes: windows, keys: "uniform", replicas: []int{3, 10},
			contestant: gateDNS(), throttled: 0.5, jain: 0.9},
		{scenario: halve, shapes: windows, keys: "uniform", replicas: []int{50},
			contestant: gateDNS(), throttled: 2.2},
		{scenario: twoVaults(time.Minute, 12), shapes: []Shape{Fixed}, keys: "uniform", replicas: []int{10},
			contestant: gateDNS(), goodput: 99.3, throttled: 0.05, jain: 0.999},
		{scenario: storeOutage(), shapes: []Shape{Fixed}, keys: "uniform", replicas: []int{10},
			contestant: gateDNS(), goodput: 99.3, throttled: 0.05},
		{scenario: brief, shapes: windows, keys: "uniform", replicas: []int{3},
			contestant: gateRedis(), goodput: 99.3, throttled: 0.05, jain: 0.999},
		{scenario: storeOutage(), shapes: []Shape{Fixed}, keys: "uniform", replicas: []int{3},
			contestant: gateRedis(), goodput: 99.3, throttled: 0.05, refused: 20},
		{scenario: crash(), shapes: []Shape{Fixed}, keys: "uniform", replicas: []int{3},
			contestant: gateRedis(), refused: 20, settled: 3},
	}
}

// TestMarks is the part of the table that every test run checks.
func TestMarks(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("hours of virtual time")
	}
	for _, m := range marks() {
		keys := mixes()[slices.IndexFunc(mixes(), func(k mix) bool { return k.name == m.keys })]
		for _, shape := range m.shapes {
			for _, k := range m.replicas {
				c := cell{m.scenario, Rules{Shape: shape}, keys, k, m.contestant}
				t.Run(c.String(), func(t *testing.T) {
					t.Parallel()
					m.check(t, row{c, c.repeat(t, 5)})
				})
			}
		}
	}
}

// check compares the medians with the limits.
func (m mark) check(t *testing.T, r row) {
	got := reduce(r.runs, Median, Median)
	for _, limit := range []struct {
		name           string
		got, low, high float64
	}{
		{"goodput", got.goodput, m.goodput, 0},
		{"Jain's index", got.jain, m.jain, 0},
		{"throttled", got.throttled, 0, m.throttled},
		{"429s", got.refused, 0, m.refused},
		{"seconds to 95 %", got.settled, 0, m.settled},
	} {
		if limit.low > 0 && !(limit.got >= limit.low) || limit.high > 0 && !(limit.got <= limit.high) {
			t.Errorf("%s: %.3f, want at least %.4g, at most %.4g\n%s", limit.name, limit.got, limit.low, limit.high, r.line())
		}
	}
	t.Log(r.line())
}
