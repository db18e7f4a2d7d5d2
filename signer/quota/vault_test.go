package quota

import "math"

// vault is a model of what refuses calls. It is asked at the moment of arrival,
// in seconds since the start.
type vault interface {
	admit(t, cost, quota float64) bool
}

type fixedWindow struct{ phase, start, sum float64 }

func (v *fixedWindow) admit(t, cost, quota float64) bool {
	if start := math.Floor((t-v.phase)/10)*10 + v.phase; start != v.start {
		v.start, v.sum = start, 0
	}
	if v.sum+cost > quota+1e-9 {
		return false
	}
	v.sum += cost
	return true
}

type slidingLog struct {
	at, cost []float64
	sum      float64
}

func (v *slidingLog) admit(t, cost, quota float64) bool {
	for len(v.at) > 0 && v.at[0] <= t-10 {
		v.sum -= v.cost[0]
		v.at, v.cost = v.at[1:], v.cost[1:]
	}
	if v.sum+cost > quota+1e-6 {
		return false
	}
	v.at, v.cost, v.sum = append(v.at, t), append(v.cost, cost), v.sum+cost
	return true
}

type tokenBucket struct {
	depth     float64 // part of the quota
	spent, at float64
}

func (v *tokenBucket) admit(t, cost, quota float64) bool {
	v.spent = max(0, v.spent-(t-v.at)*quota/10)
	v.at = t
	if v.spent+cost > v.depth*quota+1e-9 {
		return false
	}
	v.spent += cost
	return true
}

// firstCall is a window that the first call after its end opens.
type firstCall struct{ start, sum float64 }

func (v *firstCall) admit(t, cost, quota float64) bool {
	if t >= v.start+10 {
		v.start, v.sum = t, 0
	}
	if v.sum+cost > quota+1e-9 {
		return false
	}
	v.sum += cost
	return true
}

func models(phase float64) map[string]vault {
	return map[string]vault{
		"fixed window": &fixedWindow{phase: phase},
		"sliding log":  &slidingLog{},
		"small bucket": &tokenBucket{depth: 0.1},
		"first call":   &firstCall{start: -phase},
	}
}
