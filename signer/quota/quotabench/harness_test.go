package quotabench

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestRecord checks what replicas learn of each other: late, from a cache,
// nothing in an outage, and of a crash latest of all.
func TestRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{start: time.Now(), outage: [2]time.Duration{90 * sec, 100 * sec}, stints: []stint{
			{0, forever, false}, {10 * sec, 50 * sec, false}, {10 * sec, 50 * sec, true},
		}}
		for _, tt := range []struct {
			at   time.Duration
			want int
		}{{9 * sec, 1}, {10 * sec, 1}, {16 * sec, 3}, {50 * sec, 3}, {56 * sec, 2}, {65 * sec, 1}, {95 * sec, -1}, {100 * sec, 1}} {
			if err := pause(t.Context(), tt.at-time.Since(f.start)); err != nil {
				t.Fatal(err)
			}
			for replica := range f.stints {
				got, err := f.resolve(replica)
				if (err != nil) != (tt.want < 0) || err == nil && len(got) != tt.want {
					t.Errorf("replica %d at %s: %v, %v, want %d", replica, tt.at, got, err, tt.want)
				}
			}
		}
	})
}

// TestFleet checks that replicas live as long as they should.
func TestFleet(t *testing.T) {
	c := cell{steady(sec, 3), Rules{Shape: SmallBucket}, mixes()[1], 2, staticSplit()}
	c.scenario.stints = func(int, *rand.Rand) []stint {
		return []stint{{5 * sec, 20 * sec, false}, {10 * sec, forever, false}}
	}
	c.scenario.judge = func(o outcome) figures {
		first, last := map[int]time.Duration{}, map[int]time.Duration{}
		for _, a := range o.arrived {
			if last[a.Replica] == 0 {
				first[a.Replica] = a.At
			}
			last[a.Replica] = a.At
		}
		if first[0] < 5*sec || last[0] < 19*sec || last[0] > 21*sec || first[1] < 10*sec || last[1] < c.scenario.end-sec {
			t.Errorf("first arrivals %v, last %v", first, last)
		}
		return o.span(0, c.scenario.end)
	}
	c.run(t, 1)
}

func TestLine(t *testing.T) {
	r := row{cell: cell{scenario: crossTraffic(), rules: Rules{Shape: SlidingLog, Charged: true, Hint: true}, keys: mixes()[0], replicas: 3, contestant: contestant{name: "x"}}}
	for _, settled := range []float64{2, 9, math.Inf(1)} {
		f := nothing()
		f.goodput, f.settled = 99.44, settled
		r.runs = append(r.runs, f)
	}
	want := "| log+charged+hint | uniform | 3 | x | 99.4 | - | - | - | 9 (never) |"
	if got := r.line(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var text strings.Builder
	printTable(&text, []*row{&r, &r})
	if got := strings.Count(text.String(), "###"); got != 1 {
		t.Errorf("%d tables for one scenario:\n%s", got, text.String())
	}
}

// TestMatrixNames checks that a filter can take every cell apart.
func TestMatrixNames(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range matrix() {
		if seen[c.String()] {
			t.Errorf("two cells are called %s", c)
		}
		seen[c.String()] = true
	}
}
