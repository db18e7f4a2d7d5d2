package worker_test

import (
	"flag"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	checker "github.com/signmill/signmill/worker/history"
)

var (
	oneSeed = flag.Uint64("seed", 0, "the only seed that TestSimulation runs; 0: all of -seeds")
	seeds   = flag.Uint64("seeds", 60, "how many seeds TestSimulation runs, from 1 on")
)

// TestSimulation runs jobs through several workers in virtual time while the
// broker, the vault, clocks and the network fail and workers come, drain and
// die. Then a checker compares what can be seen with the promises.
//
// A seed decides what happens, what fails and when in virtual time. It does not
// decide what Go draws for itself: which goroutine runs first, the jitter of
// backoffs in the SDKs and in ours, keys and signatures. So a seed that fails
// may have to be run several times, with -count.
func TestSimulation(t *testing.T) {
	s := &simulation{last: *seeds, strikes: map[string]int{}}
	if *oneSeed != 0 {
		s.last = *oneSeed
		s.next.Store(*oneSeed - 1)
	}
	began := time.Now()
	t.Run("lanes", func(t *testing.T) {
		for lane := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(lane), func(t *testing.T) {
				t.Parallel()
				s.run(t)
			})
		}
	})
	t.Logf("%d seeds, %.0f in a minute%s", s.runs, float64(s.runs)/time.Since(began).Minutes(), s.sum)
	t.Log(s.table())
}

// simulation is a row of seeds, which several lanes run.
type simulation struct {
	next atomic.Uint64 // the seed that was begun last
	last uint64

	mu      sync.Mutex // guards the fields below
	runs    int
	sum     checker.Report
	strikes map[string]int
}

// run runs seeds until there are no more, or one fails.
func (s *simulation) run(t *testing.T) {
	var seed uint64
	defer func() {
		if t.Failed() {
			s.next.Store(s.last)
			t.Logf("repeat with: go test ./worker -run Simulation -seed=%d", seed)
		}
	}()
	for seed = s.next.Add(1); seed <= s.last; seed = s.next.Add(1) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, seed)
			w.run()
			s.add(w, w.check())
		})
	}
}

func (s *simulation) add(w *world, r checker.Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs++
	s.sum.Add(r)
	for name, n := range w.strikes {
		s.strikes[name] += n
	}
}

// table tells how often each thing went wrong.
func (s *simulation) table() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.strikes)) {
		fmt.Fprintf(&b, "\n%-20s %10d", name, s.strikes[name])
	}
	return b.String()
}
