package quotabench

import (
	"flag"
	"slices"
	"testing"
	"time"
)

// mark is what the gate has to reach in the median of its runs. The zero
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
// and between them the burst, the memory and the edges that a vault may have.
// The hardest comes first.
var windows = []Shape{SmallBucket, SlidingLog, Fixed}

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

// allMarks asks for every cell.
var allMarks = flag.Bool("quotabench.marks", false, "check the marks of all cells, in five runs each; false: of every third one")

// runs is how often a cell of the mark is run. An ordinary test run takes every
// third cell, along the diagonals, so that all shapes and all K are there, and
// runs those that are long less often.
func (m mark) runs(shape, k int) int {
	switch {
	case *allMarks:
		return 5
	case (shape+2*k)%3 != 0:
		return 0
	case m.scenario.end > 4*time.Minute:
		return 3
	}
	return 5
}

// TestMarks is the part of the table that every test run checks.
func TestMarks(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("hours of virtual time")
	}
	for _, m := range marks() {
		keys := mixes()[slices.IndexFunc(mixes(), func(k mix) bool { return k.name == m.keys })]
		for i, shape := range m.shapes {
			for j, k := range m.replicas {
				runs := m.runs(i, j)
				if runs == 0 {
					continue
				}
				c := cell{m.scenario, Rules{Shape: shape}, keys, k, m.contestant}
				t.Run(c.String(), func(t *testing.T) {
					t.Parallel()
					m.check(t, row{c, c.repeat(t, runs)})
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
