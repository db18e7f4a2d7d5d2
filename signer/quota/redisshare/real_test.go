package redisshare_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/signer/quota/redisshare"
	"github.com/signmill/signmill/signer/quota/redisshare/redistest"
)

// programs are the stores that a test may start, if they are on PATH.
var programs = []string{"redis-server", "valkey-server"}

// onReal runs a test with each real store that there is.
func onReal(t *testing.T, test func(t *testing.T, store *redistest.Process)) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes seconds of real time")
	}
	t.Parallel()
	found := false
	for _, program := range programs {
		if store := redistest.StartProcess(t, program); store != nil {
			found = true
			t.Run(program, func(t *testing.T) { test(t, store) })
		}
	}
	if !found {
		t.Skipf("none of %s is on PATH", strings.Join(programs, ", "))
	}
}

// site is replicas at a real store, with a network between that tests may break.
type site struct {
	*testing.T
	store *redistest.Process
	proxy *proxy
	admin *redis.Client // goes past the proxy
	all   []*replica
}

// settle starts four replicas that are so far away, and waits until they are
// granted slots.
func settle(t *testing.T, store *redistest.Process, delay time.Duration) *site {
	t.Helper()
	s := &site{T: t, store: store, proxy: newProxy(t, store.Addr(), delay), admin: redis.NewClient(&redis.Options{Addr: store.Addr()})}
	t.Cleanup(func() { _ = s.admin.Close() })
	for range 4 {
		share, err := redisshare.New(redisshare.Config{URL: "redis://" + store.Addr(), Vault: "v", Guard: 1, Dial: s.proxy.dial})
		if err != nil {
			t.Fatal(err)
		}
		s.all = append(s.all, start(t, share))
	}
	s.until("slots", slotted(s.all, true))
	s.until("the end of the silence", func() bool { return s.all[0].ask(1).Units > 0 })
	for _, r := range s.all {
		r.ask(1) // one that never did would send nothing without the store
	}
	return s
}

// do runs a command of the store's own.
func (s *site) do(args ...any) {
	s.Helper()
	if err := s.admin.Do(context.Background(), args...).Err(); err != nil {
		s.Error(err)
	}
}

// until waits for a condition, for long: the machine may have other things to do.
func (s *site) until(what string, ok func() bool) {
	s.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(30 * time.Second); !ok(); {
		select {
		case <-tick.C:
		case <-late:
			s.Fatalf("%s: not within 30 s", what)
		}
	}
}

func slotted(all []*replica, want bool) func() bool {
	return func() bool {
		return !slices.ContainsFunc(all, func(r *replica) bool { return (r.part().Slots != nil) != want })
	}
}

// pull uses all that replicas get for a time. More than the quota would be a
// fault, and so would half of it; between them is what the machine can do.
func (s *site) pull() {
	s.Helper()
	const span, rate = 3 * time.Second, 400
	var workers sync.WaitGroup
	units := make([]quota.Units, len(s.all))
	begun := time.Now()
	for i, r := range s.all {
		workers.Go(func() {
			for time.Since(begun) < span {
				g, err := r.Ask(r.t.Context(), slices.Repeat([]quota.Units{2}, 200), nil)
				if err != nil || g.Units == 0 {
					after(max(g.Again, 50*time.Millisecond))
					continue
				}
				units[i] += g.Units
				after(g.After + time.Duration(float64(g.Units)/g.Rate*0.7*1e9))
			}
		})
	}
	workers.Wait()
	sum := quota.Units(0)
	for _, u := range units {
		sum += u
	}
	got := float64(sum) / time.Since(begun).Seconds()
	s.Logf("four replicas get %.0f units per second of %d", got, rate)
	if got < rate/2 || got > rate*1.12 { // a quarter of a second is granted ahead
		s.Errorf("four replicas get %.0f units per second, want %d", got, rate)
	}
}

// epochs are those that the replicas know.
func (s *site) epochs() (known []uint64) {
	for _, r := range s.all {
		known = append(known, r.part().Epoch)
	}
	return known
}

// TestRealLatency: far from its store a fleet still uses its quota, and a new
// epoch reaches all.
func TestRealLatency(t *testing.T) {
	onReal(t, func(t *testing.T, store *redistest.Process) {
		for _, delay := range []time.Duration{0, 3 * time.Millisecond, 40 * time.Millisecond} {
			t.Run(delay.String(), func(t *testing.T) {
				s := settle(t, store, delay)
				s.pull()
				if n := s.all[0].part().Replicas; n != 4 {
					t.Errorf("%d replicas, want 4", n)
				}
				before := s.all[3].part().Epoch
				s.all[0].throttle()
				s.until("the push of an epoch", func() bool { return slices.Min(s.epochs()) > before })
				s.do("FLUSHALL")
			})
		}
	})
}

// TestRealRestart: the process dies and comes back, with what it knew or with
// nothing. The replicas go on by themselves meanwhile, and agree again then.
func TestRealRestart(t *testing.T) {
	onReal(t, func(t *testing.T, store *redistest.Process) {
		for _, keeps := range []bool{true, false} {
			t.Run(map[bool]string{true: "with data", false: "without"}[keeps], func(t *testing.T) {
				s := settle(t, store, 3*time.Millisecond)
				lower(t, s.all[0])
				scale, epoch := s.scale(), slices.Max(s.epochs())
				store.Kill()
				s.until("the loss", slotted(s.all, false))
				if part := s.all[1].part(); part.Replicas < 1 || part.Replicas > 4 || part.Scale == 0 {
					t.Errorf("without a store the part is %+v", part)
				}
				if !keeps {
					store.Forget()
				}
				store.Start()
				s.until("the return", slotted(s.all, true))
				s.until("a grant", func() bool { return s.all[2].ask(1).Units > 0 })
				if now := s.scale(); now > scale*1.01 || slices.Max(s.epochs()) < epoch {
					t.Errorf("scale %v and epochs %v, before the restart %v and %d", now, s.epochs(), scale, epoch)
				}
				s.do("FLUSHALL")
			})
		}
	})
}

// scale is what the record believes of the quota.
func (s *site) scale() float64 {
	s.Helper()
	x, err := s.admin.HGet(context.Background(), record, "scale").Float64()
	if err != nil {
		s.Fatal(err)
	}
	return x
}

// TestRealPartition: the network swallows everything, and then no more.
func TestRealPartition(t *testing.T) {
	onReal(t, func(t *testing.T, store *redistest.Process) {
		s := settle(t, store, 3*time.Millisecond)
		s.proxy.partition(true)
		s.until("the loss", slotted(s.all, false))
		s.proxy.partition(false)
		s.until("the return", slotted(s.all, true))
		s.pull()
	})
}

// TestRealScriptFlush: scripts that a store forgets are sent again, and nothing
// is lost.
func TestRealScriptFlush(t *testing.T) {
	onReal(t, func(t *testing.T, store *redistest.Process) {
		s := settle(t, store, 0)
		before := s.epochs()
		for range 20 {
			s.do("SCRIPT", "FLUSH")
			s.all[0].ask(1)
		}
		if !slotted(s.all, true)() || !slices.Equal(s.epochs(), before) {
			t.Errorf("the epochs are %v, and were %v", s.epochs(), before)
		}
	})
}

// TestRealFailover: a store that was made a replica of another refuses to write.
// It counts as lost until it may write again.
func TestRealFailover(t *testing.T) {
	onReal(t, func(t *testing.T, store *redistest.Process) {
		s := settle(t, store, 0)
		s.do("REPLICAOF", "127.0.0.1", "1")
		_, err := s.all[0].Ask(t.Context(), []quota.Units{2}, nil)
		if err == nil || !strings.Contains(err.Error(), "READONLY") {
			t.Errorf("a replica answers %v, want READONLY", err)
		}
		s.until("the loss", func() bool { return s.all[0].part().Slots == nil })
		s.do("REPLICAOF", "NO", "ONE")
		s.until("the return", slotted(s.all, true))
		s.until("a grant", func() bool { return s.all[0].ask(1).Units > 0 })
	})
}

// TestRealSlowStore: a store that keeps its clients waiting is used as long as
// it answers in time, and lost while it does not.
func TestRealSlowStore(t *testing.T) {
	onReal(t, func(t *testing.T, store *redistest.Process) {
		s := settle(t, store, 0)
		slow := time.NewTicker(400 * time.Millisecond)
		defer slow.Stop()
		over := make(chan struct{})
		var pausing sync.WaitGroup
		pausing.Go(func() {
			for {
				select {
				case <-slow.C:
					s.do("CLIENT", "PAUSE", "150")
				case <-over:
					return
				}
			}
		})
		s.pull()
		close(over)
		pausing.Wait()
		s.do("CLIENT", "PAUSE", "3000")
		s.until("the loss", func() bool {
			_, _ = s.all[0].Ask(t.Context(), []quota.Units{2}, nil)
			return s.all[0].part().Slots == nil
		})
		s.until("the return", slotted(s.all, true))
		s.pull()
	})
}

// TestFullStore: a store that takes nothing more goes on granting, since the
// record is small and each script removes something first.
func TestFullStore(t *testing.T) {
	onReal(t, func(t *testing.T, store *redistest.Process) {
		s := settle(t, store, 0)
		s.do("CONFIG", "SET", "maxmemory", 1)
		if err := s.admin.Set(context.Background(), "more", "", 0).Err(); err == nil {
			t.Fatal("the store is not full")
		}
		for _, r := range s.all {
			r.ask(1)
		}
	})
}
