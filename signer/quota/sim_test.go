package quota

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

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

// fleet is K gates in front of one vault, all busy.
type fleet struct {
	vault  vault
	quota  func(t float64) float64
	costs  func(*rand.Rand) Units
	share  func(replica int) Share
	born   time.Time
	mu     sync.Mutex // guards the fields below and vault
	second []tally
	each   []float64 // accepted units of each replica after each
	after  float64
}

type tally struct {
	units           float64
	calls, refusals int
}

func (f *fleet) now() float64 { return time.Since(f.born).Seconds() }

// call goes to the vault and back.
func (f *fleet) call(ctx context.Context, replica int, cost Units, rng *rand.Rand) Outcome {
	oneWay := func() time.Duration { return seconds(0.008 * math.Exp(0.5*rng.NormFloat64())) }
	if rest(ctx, oneWay()) != nil {
		return Failed
	}
	t := f.now()
	f.mu.Lock()
	ok := f.vault.admit(t, float64(cost), f.quota(t))
	s := &f.second[min(int(t), len(f.second)-1)]
	s.calls++
	if ok {
		s.units += float64(cost)
		if t >= f.after {
			f.each[replica] += float64(cost)
		}
	} else {
		s.refusals++
	}
	f.mu.Unlock()
	service := 2 * time.Millisecond
	if ok {
		service = seconds(0.07 * math.Exp(0.35*rng.NormFloat64()))
	}
	if rest(ctx, service+oneWay()) != nil {
		return Failed
	}
	if ok {
		return Accepted
	}
	return Throttled
}

func (f *fleet) work(ctx context.Context, g *Gate, replica int, rng *rand.Rand) {
	for {
		pass, err := g.Enter(ctx, f.costs(rng))
		for err == nil {
			o := f.call(ctx, replica, pass.cost, rng)
			pass.Leave(Result{Outcome: o})
			if o != Throttled {
				break
			}
			pass, err = pass.Again(ctx)
		}
		if err != nil {
			return
		}
	}
}

// join starts one replica, which leaves when ctx ends.
func (f *fleet) join(ctx context.Context, t *testing.T, replica int, share Share, seed uint64) (wait func()) {
	t.Helper()
	g, err := New(Config{Share: share, Guard: 0.995, Random: rand.NewPCG(seed, uint64(replica))})
	if err != nil {
		t.Fatal(err)
	}
	var workers sync.WaitGroup
	for i := range 64 {
		workers.Go(func() { f.work(ctx, g, replica, rand.New(rand.NewPCG(seed+uint64(i), uint64(replica)))) })
	}
	return func() { workers.Wait(); g.Close() }
}

func newFleet(v vault, replicas int, length float64, quota func(t float64) float64) *fleet {
	return &fleet{
		vault: v, quota: quota, born: time.Now(),
		costs:  func(*rand.Rand) Units { return 2 },
		share:  func(int) Share { return Static{Replicas: replicas} },
		second: make([]tally, int(length)+1), each: make([]float64, replicas),
	}
}

// sum adds up seconds from..to.
func (f *fleet) sum(from, to float64) (units float64, calls, refusals int) {
	for _, s := range f.second[int(from):int(to)] {
		units += s.units
		calls += s.calls
		refusals += s.refusals
	}
	return units, calls, refusals
}

func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run runs the fleet, whose members all start within two seconds.
func (f *fleet) run(t *testing.T, replicas int, length float64, seed uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), seconds(length))
	defer cancel()
	rng := rand.New(rand.NewPCG(seed, 1))
	var all sync.WaitGroup
	for i := range replicas {
		delay := seconds(2 * rng.Float64())
		all.Go(func() {
			if rest(ctx, delay) == nil {
				f.join(ctx, t, i, f.share(i), seed)()
			}
		})
	}
	all.Wait()
}

func jain(x []float64) float64 {
	sum, squares := 0.0, 0.0
	for _, v := range x {
		sum += v
		squares += v * v
	}
	return sum * sum / (float64(len(x)) * squares)
}

func models(phase float64) map[string]vault {
	return map[string]vault{
		"fixed window": &fixedWindow{phase: phase},
		"sliding log":  &slidingLog{},
		"small bucket": &tokenBucket{depth: 0.1},
	}
}

func TestFleetHalved(t *testing.T) {
	for name := range models(0) {
		for _, k := range []int{1, 3, 10, 50} {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(models(3.3)[name], k, 400, halved)
				f.run(t, k, 400, 7)
				f.tell(t, name, k)
			})
		}
	}
}
