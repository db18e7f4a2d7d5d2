package quota_test

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/signer/quota/redisshare"
	"github.com/signmill/signmill/signer/quota/redisshare/redistest"
)

const record = "signmill:quota:{twin}"

// pair drives the script and its twin with the same calls, and compares what
// they answer and what they know then.
type pair struct {
	t       *testing.T
	store   *redistest.Store
	shares  []*redisshare.Share
	twin    *quota.Twin
	random  *rand.Rand
	wall    int64
	changes map[string]int // how often a part of the state took another value
	last    map[string]float64
}

func newPair(t *testing.T, seed uint64) *pair {
	p := &pair{t: t, store: redistest.New(t, nil), random: rand.New(rand.NewPCG(seed, 1)), changes: map[string]int{}, last: map[string]float64{}}
	for range 3 {
		share, err := redisshare.New(redisshare.Config{URL: "redis://store", Vault: "twin", Guard: 0.995, Dial: p.store.Dialer("")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = share.Close() })
		p.shares = append(p.shares, share)
	}
	if g, err := p.shares[0].Ask(t.Context(), []quota.Units{2}, nil); err != nil || g.Units != 0 {
		t.Fatalf("a requester that is alone with a fresh record got %+v, %v", g, err)
	}
	p.store.HSet(record, "random", "20261126")
	p.wall = int64(p.known("wall"))
	p.twin = quota.NewTwin(400, 0.995, float64(p.wall), p.now(), uint64(p.known("epoch")), p.known("random"))
	p.wait(5 * time.Second)
	return p
}

// now is the time as the script computes it.
func (p *pair) now() float64 {
	now := time.Now().UnixMicro()
	return float64(now/1e6-p.wall) + float64(now%1e6)*1e-6
}

// wait lets virtual time pass.
func (p *pair) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

func (p *pair) known(field string) float64 {
	text := p.store.HGet(record, field)
	if text == "" {
		return 0
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		p.t.Fatal(err)
	}
	return x
}

func (p *pair) ask(who int, want []quota.Units, done []quota.Done) quota.Grant {
	got, err := p.shares[who].Ask(p.t.Context(), want, done)
	if err != nil {
		p.t.Fatal(err)
	}
	twin := p.twin.Ask(strconv.Itoa(who), p.now(), want, done)
	twin.Again, twin.Late = got.Again, got.Late
	if (got.After - twin.After).Abs() <= time.Nanosecond {
		twin.After = got.After // rounding
	}
	if got != twin {
		p.t.Fatalf("at %v the script grants %+v, its twin %+v", p.now(), got, twin)
	}
	p.compare()
	return got
}

func (p *pair) report(who int, done []quota.Done) {
	if err := p.shares[who].Report(p.t.Context(), done); err != nil {
		p.t.Fatal(err)
	}
	p.twin.Judge(p.now(), done)
	p.compare()
}

func (p *pair) compare() {
	p.t.Helper()
	for name, want := range p.twin.State() {
		if got := p.known(name); math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
			p.t.Fatalf("at %v: %s is %v, its twin's is %v", p.now(), name, got, want)
		}
		if want != p.last[name] {
			p.changes[name]++
			p.last[name] = want
		}
	}
}

// event is the departure of a call, or its answer.
type event struct {
	at     time.Time
	order  int
	who    int
	call   quota.Done
	sent   time.Time
	answer bool
}

type events []event

func (e events) Len() int { return len(e) }

func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }

func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// traffic is three requesters that use all they get.
type traffic struct {
	*pair
	events events
	order  int
	askAt  [3]time.Time
	done   [3][]quota.Done
	sent   [3][]time.Time
	fate   func(at time.Time, cost quota.Units) quota.Outcome
	dear   bool
	silent int // requesters that do not ask
}

func (f *traffic) plan(e event) {
	f.order++
	e.order = f.order
	e.at = e.at.Truncate(time.Microsecond)
	heap.Push(&f.events, e)
}

// run lets traffic flow for a time.
func (f *traffic) run(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		who := f.silent
		for i := who + 1; i < len(f.askAt); i++ {
			if f.askAt[i].Before(f.askAt[who]) {
				who = i
			}
		}
		if len(f.events) > 0 && f.events[0].at.Before(f.askAt[who]) {
			e := heap.Pop(&f.events).(event)
			f.wait(time.Until(e.at))
			f.happen(e)
			continue
		}
		f.wait(time.Until(f.askAt[who]))
		f.question(who)
	}
}

func (f *traffic) happen(e event) {
	switch {
	case e.answer:
		if e.call.Outcome == quota.Throttled || e.call.Probe {
			e.call.Age = time.Since(e.sent)
			f.report(e.who, []quota.Done{e.call})
			return
		}
		f.done[e.who], f.sent[e.who] = append(f.done[e.who], e.call), append(f.sent[e.who], e.sent)
	case e.call.Epoch == f.twin.Epoch:
		e.call.Outcome = f.fate(e.at, e.call.Cost)
		latency := 40*time.Millisecond + time.Duration(f.random.Int64N(int64(100*time.Millisecond)))
		if e.call.Outcome == quota.Throttled {
			latency = 15*time.Millisecond + time.Duration(f.random.Int64N(int64(10*time.Millisecond)))
		}
		f.plan(event{at: e.at.Add(latency), who: e.who, call: e.call, sent: e.at, answer: true})
	}
}

func (f *traffic) question(who int) {
	want := make([]quota.Units, 1+f.random.IntN(60))
	for i := range want {
		want[i] = 2
		if n := f.random.IntN(10); f.dear && n < 3 {
			want[i] = []quota.Units{1, 1, 16}[n]
		}
	}
	for i := range f.done[who] {
		f.done[who][i].Age = time.Since(f.sent[who][i])
	}
	g := f.ask(who, want, f.done[who])
	f.done[who], f.sent[who] = nil, nil
	if g.Units == 0 {
		f.askAt[who] = time.Now().Add(20*time.Millisecond + time.Duration(f.random.IntN(300))*time.Millisecond)
		return
	}
	at, left := time.Now().Add(max(0, g.After)), g.Units
	for _, cost := range want {
		if left -= cost; left < 0 {
			break
		}
		f.plan(event{at: at, who: who, call: quota.Done{Cost: cost, Epoch: g.Epoch, Probe: g.Probe}})
		at = at.Add(time.Duration(float64(cost) / g.Rate * 1e9))
	}
	f.askAt[who] = time.Now().Add(max(5*time.Millisecond, time.Until(at)*2/3)).Truncate(time.Microsecond)
}

// TestTwin keeps the script's controller and the gate's from drifting apart.
func TestTwin(t *testing.T) {
	for _, tt := range []struct {
		name  string
		dear  bool
		fates func(*rand.Rand) func(time.Time, quota.Units) quota.Outcome
		moved []string // parts of the state that the case must have moved
	}{
		{"window", false, window, []string{"scale", "pause", "boost", "climb", "climb_failed_at", "boundary_known", "catch_up_until"}},
		{"mixed keys", true, window, []string{"scale", "pause", "climb"}},
		{"chance", false, chance, []string{"scale", "pause", "pause_overload"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t, 1)
				f := &traffic{pair: p, fate: tt.fates(p.random), dear: tt.dear}
				for i := range f.askAt {
					f.askAt[i] = time.Now()
				}
				f.run(60 * time.Second)
				f.silent = 2 // two vanish, perhaps one with a probe
				f.run(20 * time.Second)
				f.silent = 0
				f.run(60 * time.Second)
				for _, name := range tt.moved {
					if p.changes[name] == 0 {
						t.Errorf("%s never changed", name)
					}
				}
			})
		})
	}
}

// window is a fixed window whose quota changes every 20 s; one call in 500 has
// no answer.
func window(random *rand.Rand) func(time.Time, quota.Units) quota.Outcome {
	start, used, first := time.Time{}, quota.Units(0), time.Now()
	return func(at time.Time, cost quota.Units) quota.Outcome {
		limit := []quota.Units{4000, 2000, 1000, 600, 3000, 3000, 1500, 4000}[int(at.Sub(first)/(20*time.Second))%8]
		if random.IntN(500) == 0 {
			return quota.Failed
		}
		if s := at.Truncate(10 * time.Second); s != start {
			start, used = s, 0
		}
		if used+cost > limit {
			return quota.Throttled
		}
		used += cost
		return quota.Accepted
	}
}

// chance refuses calls at random, in bad times more than in good ones.
func chance(random *rand.Rand) func(time.Time, quota.Units) quota.Outcome {
	until, bad := time.Time{}, 0.0
	return func(at time.Time, _ quota.Units) quota.Outcome {
		if at.After(until) {
			until = at.Add(time.Duration(random.Int64N(int64(8 * time.Second))))
			bad = []float64{0, 0, 0.01, 0.2, 0.5, 1}[random.IntN(6)]
		}
		switch x := random.Float64(); {
		case x < bad:
			return quota.Throttled
		case x > 0.998:
			return quota.Failed
		}
		return quota.Accepted
	}
}
