package quotabench

import (
	"testing"
	"time"
)

// step is one call and what the model must say to it. wait is checked for
// refused calls only.
type step struct {
	at   time.Duration
	cost float64
	ok   bool
	wait time.Duration
}

const (
	ms  = time.Millisecond
	sec = time.Second
)

func TestModels(t *testing.T) {
	const none = 0
	tests := []struct {
		name  string
		rules Rules
		steps []step
	}{
		{"fixed: a window starts from nothing at its edge", Rules{Shape: Fixed, Quota: ten}, []step{
			{9 * sec, 10, true, none}, {10*sec - 1, 1, false, 1}, {10 * sec, 10, true, none}, {11 * sec, 1, false, 9 * sec},
		}},
		{"fixed: a call that does not fit leaves room for one that does", Rules{Shape: Fixed, Quota: ten}, []step{
			{0, 9, true, none}, {0, 2, false, 10 * sec}, {0, 1, true, none},
		}},
		{"fixed: the phase moves the edges", Rules{Shape: Fixed, Quota: ten, Phase: 3 * sec}, []step{
			{0, 10, true, none}, {1 * sec, 1, false, 2 * sec}, {3 * sec, 10, true, none}, {12 * sec, 1, false, 1 * sec}, {13 * sec, 1, true, none},
		}},
		{"fixed: a lower quota holds at once", Rules{Shape: Fixed, Quota: halvedAt(5 * sec)}, []step{
			{4 * sec, 6, true, none}, {5 * sec, 1, false, 5 * sec}, {10 * sec, 5, true, none}, {10 * sec, 1, false, 10 * sec},
		}},
		{"first: the first call opens the window", Rules{Shape: FirstCall, Quota: ten, Phase: 3 * sec}, []step{
			{4 * sec, 10, true, none}, {13 * sec, 1, false, 1 * sec}, {14 * sec, 1, true, none}, {23 * sec, 9, true, none}, {23 * sec, 1, false, 1 * sec},
		}},
		{"first: nothing is open after a silence", Rules{Shape: FirstCall, Quota: ten}, []step{
			{0, 10, true, none}, {25 * sec, 10, true, none}, {34 * sec, 1, false, 1 * sec},
		}},
		{"log: an entry counts for less than 10 s", Rules{Shape: SlidingLog, Quota: ten}, []step{
			{1 * sec, 6, true, none}, {2 * sec, 4, true, none}, {11*sec - 1, 1, false, 1}, {11 * sec, 6, true, none}, {11 * sec, 1, false, 1 * sec},
		}},
		{"log: refused calls are free", Rules{Shape: SlidingLog, Quota: ten}, []step{
			{0, 10, true, none}, {5 * sec, 9, false, 5 * sec}, {10 * sec, 10, true, none},
		}},
		{"log: refused calls are charged", Rules{Shape: SlidingLog, Quota: ten, Charged: true}, []step{
			{0, 10, true, none}, {5 * sec, 9, false, 5 * sec}, {10 * sec, 2, false, 5 * sec}, {10 * sec, 1, false, 5 * sec}, {15 * sec, 7, true, none},
		}},
		{"log: a call that never fits is told to wait a second", Rules{Shape: SlidingLog, Quota: ten}, []step{
			{0, 11, false, 1 * sec},
		}},
		{"slices: the running one and the nine before count", Rules{Shape: Slices, Quota: ten}, []step{
			{900 * ms, 10, true, none}, {9999 * ms, 1, false, 1 * ms}, {10 * sec, 10, true, none}, {19 * sec, 1, false, 1 * sec}, {20 * sec, 1, true, none},
		}},
		{"slices: the phase moves the edges", Rules{Shape: Slices, Quota: ten, Phase: 300 * ms}, []step{
			{200 * ms, 10, true, none}, {10 * sec, 1, true, none}, {10200 * ms, 9, true, none}, {10200 * ms, 1, false, 100 * ms},
		}},
		{"slices: refused calls are charged", Rules{Shape: Slices, Quota: ten, Charged: true}, []step{
			{0, 10, true, none}, {5 * sec, 9, false, 1 * sec}, {10 * sec, 2, false, 1 * sec}, {15 * sec, 8, true, none},
		}},
		{"slices: a long silence empties all", Rules{Shape: Slices, Quota: ten}, []step{
			{0, 10, true, none}, {95 * sec, 10, true, none}, {95 * sec, 1, false, 1 * sec},
		}},
		{"bucket: full at the start, refilled at the rate", Rules{Shape: WholeBucket, Quota: ten}, []step{
			{0, 10, true, none}, {0, 2, false, 2 * sec}, {1 * sec, 2, false, 1 * sec}, {2 * sec, 2, true, none}, {60 * sec, 10, true, none}, {60 * sec, 1, false, 1 * sec},
		}},
		{"bucket: refused calls are charged, down to an empty bucket's debt", Rules{Shape: WholeBucket, Quota: ten, Charged: true}, []step{
			{0, 10, true, none}, {0, 8, false, 8 * sec}, {0, 8, false, 16 * sec}, {10 * sec, 1, false, 1 * sec}, {12 * sec, 1, true, none},
		}},
		{"tenth: holds a tenth", Rules{Shape: SmallBucket, Quota: ten}, []step{
			{0, 1, true, none}, {500 * ms, 1, false, 500 * ms}, {1 * sec, 1, true, none}, {60 * sec, 1, true, none}, {60 * sec, 1, false, 1 * sec},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			model, err := tt.rules.Model()
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range tt.steps {
				ok, wait := model.Admit(s.at, s.cost)
				if ok != s.ok || !ok && (wait-s.wait).Abs() > time.Microsecond {
					t.Errorf("step %d at %s: %v, wait %s; want %v, %s", i, s.at, ok, wait, s.ok, s.wait)
				}
			}
		})
	}
}

func ten(time.Duration) float64 { return 10 }

func halvedAt(change time.Duration) Quota {
	return func(at time.Duration) float64 {
		if at >= change {
			return 5
		}
		return 10
	}
}

// TestNodes fills a vault of four nodes with one call after another: each
// node takes its quarter, and none takes more.
func TestNodes(t *testing.T) {
	model, err := Rules{Shape: Nodes, Quota: func(time.Duration) float64 { return 400 }, Seed: 1}.Model()
	if err != nil {
		t.Fatal(err)
	}
	admitted, firstRefusal := 0, 0
	for call := 1; call <= 4000; call++ {
		ok, _ := model.Admit(sec, 1)
		if ok {
			admitted++
		} else if firstRefusal == 0 {
			firstRefusal = call
		}
	}
	if admitted != 400 {
		t.Errorf("%d calls were admitted, want 400", admitted)
	}
	if firstRefusal >= 400 {
		t.Errorf("the first refusal was call %d; nodes fill unevenly", firstRefusal)
	}
}

// TestAdmitted offers every model half as much again as its quota: no span of
// two windows, which may touch three, sees more than three quotas, and free
// refusals leave none of the quota unused.
func TestAdmitted(t *testing.T) {
	for _, shape := range []Shape{Fixed, FirstCall, SlidingLog, Slices, WholeBucket, SmallBucket} {
		for _, charged := range []bool{false, true} {
			model, err := Rules{Shape: shape, Quota: ten, Charged: charged, Phase: 2 * sec, Seed: 7}.Model()
			if err != nil {
				t.Fatal(err)
			}
			var log Ledger
			for at := time.Duration(0); at < 100*sec; at += 210 * ms {
				ok, after := model.Admit(at, 1)
				if !ok && after <= 0 {
					t.Fatalf("%s: refused at %s, and to come back after %s", shape, at, after)
				}
				log = append(log, Arrival{At: at, Cost: 1, Admitted: ok})
			}
			for at := time.Duration(0); at < 80*sec; at += 100 * ms {
				if got := log.Between(at, at+20*sec).Accepted(); got > 30 {
					t.Fatalf("%s: %v units in 20 s from %s", shape, got, at)
				}
			}
			if got := log.Accepted(); !charged && got < 95 {
				t.Errorf("%s: %v units in 100 s of a quota of 10 in 10 s", shape, got)
			}
		}
	}
}

func TestRulesRefuse(t *testing.T) {
	for _, rules := range []Rules{{}, {Shape: "oval"}, {Shape: Fixed, Phase: Window}, {Shape: Fixed, Phase: -1}} {
		if model, err := rules.Model(); err == nil {
			t.Errorf("%+v: %T, want an error", rules, model)
		}
	}
}
