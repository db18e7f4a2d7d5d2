package quota

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

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
	guard  float64
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
	g, err := New(Config{Share: share, Guard: f.guard, Random: rand.NewPCG(seed, uint64(replica))})
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
		vault: v, quota: quota, born: time.Now(), guard: 0.995,
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

// halvedAt60 is a quota that is halved at 60 s, and restored at 260 s.
func halvedAt60(t float64) float64 {
	if t >= 60 && t < 260 {
		return 2000
	}
	return 4000
}

func always(float64) float64 { return 4000 }

// goals of a fleet whose quota is halved, in the words of the derivation.
type goals struct {
	refusals  int     // in the first 30 s
	goodput   float64 // from 40 s on, of the new quota
	throttled float64 // from 40 s on, of the calls
	back      int     // s from the end until 95 % is used
}

func (f *fleet) judge(t *testing.T, name string, want goals) {
	t.Helper()
	units, calls, refusals := f.sum(20, 60)
	if goodput := units / 16000; goodput < 0.99 || refusals > 0 {
		t.Errorf("%s: steady: goodput %.3f, %d of %d calls throttled", name, goodput, refusals, calls)
	}
	var got goals
	_, _, got.refusals = f.sum(60, 90)
	units, calls, refusals = f.sum(100, 260)
	got.goodput, got.throttled = units/32000, float64(refusals)/float64(calls)
	for got.back = range 130 {
		if units, _, _ := f.sum(float64(260+got.back), float64(270+got.back)); units > 3800 {
			break
		}
	}
	t.Logf("%s: %d 429s, then goodput %.3f and %.2f %% throttled; back after %d s; jain %.3f",
		name, got.refusals, got.goodput, 100*got.throttled, got.back, jain(f.each))
	if got.refusals > want.refusals || got.goodput < want.goodput || got.throttled > want.throttled || got.back > want.back {
		t.Errorf("%s: got %+v, want %+v or better", name, got, want)
	}
}

// TestFleetHalved runs gates that know how many they are, and no more.
func TestFleetHalved(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		model    string
		replicas int
		want     goals
	}{
		{"fixed window", 1, goals{45, 0.96, 0.006, 75}},
		{"fixed window", 50, goals{400, 0.88, 0.02, 135}},
		{"sliding log", 10, goals{180, 0.97, 0.007, 115}},
		{"small bucket", 10, goals{230, 0.98, 0.007, 115}},
		{"first call", 3, goals{90, 0.95, 0.008, 100}},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(models(3.3)[c.model], c.replicas, 400, halvedAt60)
			f.run(t, c.replicas, 400, 7)
			f.judge(t, fmt.Sprint(c.model, ", ", c.replicas), c.want)
		})
	}
}

// TestFleetMixed sends keys of three prices to the strictest vault.
func TestFleetMixed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(&slidingLog{}, 3, 100, always)
		f.after, f.guard = 20, 0.98
		f.costs = func(r *rand.Rand) Units {
			switch x := r.Float64(); {
			case x < 0.7:
				return 2
			case x < 0.9:
				return 1
			}
			return 16
		}
		f.run(t, 3, 100, 3)
		units, calls, refusals := f.sum(20, 100)
		if goodput := units / 32000; goodput < 0.97 || float64(refusals) > 0.002*float64(calls) || jain(f.each) < 0.99 {
			t.Errorf("goodput %.3f, %d of %d calls throttled, jain %.3f", goodput, refusals, calls, jain(f.each))
		}
	})
}

// TestFleetGrows: 1, 10, 30 and then 3 replicas that count each other with a
// delay, and wait as joiners. Nothing is throttled.
func TestFleetGrows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(&fixedWindow{phase: 3.3}, 30, 160, always)
		pods := &pods{}
		f.share = func(int) Share { return DNS{Name: "pods", Age: 5 * time.Second, Lookup: pods.lookup} }
		ctx, cancel := context.WithTimeout(t.Context(), 160*time.Second)
		defer cancel()
		var all sync.WaitGroup
		for i := range 30 {
			from, to := 0.0, 120.0
			switch {
			case i >= 10:
				from = 80 + 0.1*float64(i)
			case i >= 1:
				from = 40 + 0.3*float64(i)
			}
			if i >= 27 {
				to = 160
			}
			all.Go(func() {
				if rest(ctx, seconds(from)) != nil {
					return
				}
				pods.add(1)
				defer pods.add(-1)
				life, end := context.WithTimeout(ctx, seconds(to-from))
				defer end()
				f.join(life, t, i, f.share(i), 5)()
			})
		}
		all.Wait()
		_, calls, refusals := f.sum(0, 160)
		if float64(refusals) > 0.001*float64(calls) {
			t.Errorf("%d of %d calls throttled", refusals, calls)
		}
		for _, from := range []float64{20, 60, 100, 140} { // 20 s after each step
			if units, _, _ := f.sum(from, from+10); units < 3800 {
				t.Errorf("from %v s: %.0f units of 4000", from, units)
			}
		}
	})
}

// pods is a headless service.
type pods struct {
	mu sync.Mutex // guards n
	n  int
}

func (p *pods) add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n += n
}

func (p *pods) lookup(context.Context, string) (addresses []string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.n {
		addresses = append(addresses, fmt.Sprintf("10.0.0.%d", i))
	}
	return addresses, nil
}
