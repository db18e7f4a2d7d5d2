package probe

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/signmill/signmill/signer/quota"
)

// counter answers calls at a time in seconds. The vaults below are written
// apart from the models of the probe, which shall find them out.
type counter func(at, cost float64) bool

// fixedFrom counts from nothing every 10 s, first at phase.
func fixedFrom(limit, phase float64) counter {
	next, used := phase, 0.0
	return func(at, cost float64) bool {
		for at >= next {
			next, used = next+10, 0
		}
		if used+cost > limit {
			return false
		}
		used += cost
		return true
	}
}

// slidingLog remembers each call for 10 s.
func slidingLog(limit float64, charged bool) counter {
	var times []float64
	return func(at, cost float64) bool {
		times = slices.DeleteFunc(times, func(t float64) bool { return t <= at-10 })
		ok := float64(len(times)+1)*cost <= limit
		if ok || charged {
			times = append(times, at)
		}
		return ok
	}
}

// leaking is a bucket that fills in 10 s times depth.
func leaking(limit, depth float64, charged bool) counter {
	level, last := 0.0, 0.0 // of what was spent
	return func(at, cost float64) bool {
		level, last = max(0, level-(at-last)*limit/10), at
		ok := level+cost <= limit*depth
		if ok || charged {
			level = min(2*limit*depth, level+cost)
		}
		return ok
	}
}

// nodes spreads calls over counters of their own.
func nodes(n int, limit, phase float64, random *rand.Rand) counter {
	var all []counter
	for range n {
		all = append(all, fixedFrom(limit/float64(n), phase))
	}
	return func(at, cost float64) bool { return all[random.IntN(n)](at, cost) }
}

// traceOf plays a burst of 1.2 quotas and 30 s of four calls a second.
func traceOf(vault counter, limit, cost, perSecond float64, random *rand.Rand) Trace {
	t := Trace{Burst: int(1.2 * limit / cost), Cost: quota.Units(cost)}
	at := func(i int) float64 {
		if i < t.Burst {
			return float64(i) / perSecond
		}
		return float64(t.Burst)/perSecond + float64(i-t.Burst)/4
	}
	arrivals := make([]float64, t.Burst+120)
	order := make([]int, len(arrivals))
	t.Calls = make([]Call, len(arrivals))
	for i := range arrivals {
		order[i] = i
		arrivals[i] = at(i) + 0.040 + 0.005*random.Float64()
	}
	slices.SortFunc(order, func(a, b int) int { return int((arrivals[a] - arrivals[b]) * 1e9) })
	for _, i := range order {
		c := Call{Sent: span(at(i)), Took: span(2 * (arrivals[i] - at(i))), Outcome: Refused}
		if vault(arrivals[i], cost) {
			c.Outcome = Accepted
		}
		t.Calls[i] = c
	}
	return t
}

func TestJudge(t *testing.T) {
	t.Parallel()
	random := func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }
	const q = 4000
	tests := []struct {
		name      string
		vault     counter
		limit     float64 // of the burst
		cost      float64
		perSecond float64
		want      Verdict
		within    float64 // of the quota
	}{
		{"fixed window", fixedFrom(q, 7.3), q, 1, 2500, Verdict{Window: fixedName, Charged: Unknown}, 0.01},
		{"fixed window and a dear key", fixedFrom(q, 6), q, 16, 200, Verdict{Window: fixedName, Charged: Unknown}, 0.02},
		{"fixed window of half the quota", fixedFrom(q/2, 6), q, 1, 2500, Verdict{Window: fixedName, Charged: Unknown}, 0.01},
		{"sliding window", slidingLog(q, false), q, 1, 2500, Verdict{Window: slidingName, Charged: Unknown}, 0.01},
		{"sliding window, slow burst", slidingLog(q, false), q, 2, 240, Verdict{Window: slidingName, Charged: No}, 0.02},
		{"sliding window, slow burst, charged", slidingLog(q, true), q, 2, 240, Verdict{Window: slidingName, Charged: Yes}, 0.2},
		{"bucket", leaking(q, 1, false), q, 1, 5000, Verdict{Window: bucketName, Charged: No}, 0.02},
		{"bucket, charged", leaking(q, 1, true), q, 1, 5000, Verdict{Window: bucketName, Charged: Yes}, 0.02},
		{"small bucket", leaking(q, 0.1, false), q, 1, 2500, Verdict{Window: smallBucketName, Charged: No}, 0.06},
		{"four nodes", nodes(4, q, 5, random()), q, 1, 2500, Verdict{Window: fixedName, Charged: Unknown, Several: true}, 0.05},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			trace := traceOf(tt.vault, tt.limit, tt.cost, tt.perSecond, random())
			got := trace.Judge()
			if got.Window != tt.want.Window || got.Charged != tt.want.Charged || got.Several != tt.want.Several {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			want := tt.limit
			if tt.name == "fixed window of half the quota" {
				want = q / 2
			}
			if d := float64(got.Quota)/want - 1; d > tt.within || d < -tt.within {
				t.Errorf("got a quota of %d, want %v", got.Quota, want)
			}
		})
	}
}

// TestJudgeUnknown holds the verdict back where a trace shows too little.
func TestJudgeUnknown(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	never := 0
	tests := []struct {
		name  string
		vault counter
		check func(Verdict) bool
	}{
		{"nothing is refused", func(float64, float64) bool { return true }, func(v Verdict) bool { return !v.Refused && v.First == 480 }},
		{"never accepted again", func(float64, float64) bool { never++; return never <= 100 }, func(v Verdict) bool { return v.Refused && v.Again == 0 && v.First == 100 }},
		{"at random", func(float64, float64) bool { return random.IntN(2) == 0 }, func(v Verdict) bool { return v.Window == "" || v.Several }},
	}
	for _, tt := range tests {
		got := traceOf(tt.vault, 400, 1, 300, rand.New(rand.NewPCG(3, 4))).Judge()
		if !tt.check(got) || got.Window != "" && tt.name != "at random" {
			t.Errorf("%s: got %+v", tt.name, got)
		}
	}
}

func span(seconds float64) time.Duration { return time.Duration(seconds * 1e9) }

// TestOvertaking sends a burst over connections that are opened for it: the first
// call on each is slow, and many later ones arrive before. One counter is one.
func TestOvertaking(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		tr := Trace{Burst: 480, Flight: 256, Cost: 1, Calls: make([]Call, 600)}
		free := make([]float64, tr.Flight) // when each connection is
		arrivals, order := make([]float64, len(tr.Calls)), make([]int, len(tr.Calls))
		for i := range tr.Calls {
			line := slices.Index(free, slices.Min(free))
			sent, takes := free[line], 0.01+0.03*random.Float64()
			if sent == 0 {
				takes += 0.6 * random.Float64()
			}
			if i >= tr.Burst {
				sent, takes = 1.5+float64(i-tr.Burst)/4, 0.002
			}
			free[line], arrivals[i], order[i] = sent+takes, sent+takes, i
			tr.Calls[i] = Call{Sent: seconds(sent), Took: seconds(takes)}
		}
		slices.SortFunc(order, func(a, b int) int { return cmp.Compare(arrivals[a], arrivals[b]) })
		vault := fixedFrom(100, 8)
		for _, i := range order {
			tr.Calls[i].Outcome = Refused
			if vault(arrivals[i], 1) {
				tr.Calls[i].Outcome = Accepted
			}
		}
		if got := tr.Judge(); got.Several {
			t.Errorf("seed %d: got several counters, %+v", seed, got)
		}
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
