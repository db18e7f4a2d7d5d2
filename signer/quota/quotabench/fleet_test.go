package quotabench

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

// stint is the life of one replica.
type stint struct {
	born, dies time.Duration
	crashes    bool // dies without a word
}

// The times at which the outside world notices a replica.
const (
	listed  = time.Second      // until a start or an end shows in the service's record
	missing = 10 * time.Second // until a crash does
	cached  = 5 * time.Second  // a resolver keeps an answer for this long
)

// fleet is the replicas of a run.
type fleet struct {
	start    time.Time
	replicas int // K, as planned
	stints   []stint
	outage   [2]time.Duration // of the record and of stores
}

// out reports whether the outside world fails now.
func (f *fleet) out() bool {
	at := time.Since(f.start)
	return f.outage[0] <= at && at < f.outage[1]
}

// listing is the number of replicas in the service's record.
func (f *fleet) listing(at time.Duration) (n int) {
	for _, s := range f.stints {
		end := s.dies + listed
		if s.crashes {
			end = s.dies + missing
		}
		if s.born+listed <= at && at < end {
			n++
		}
	}
	return n
}

// resolve is what a replica's resolver answers: the record of up to cached
// ago, refreshed at moments of the replica's own.
func (f *fleet) resolve(replica int) ([]string, error) {
	if f.out() {
		return nil, fmt.Errorf("no such host")
	}
	at, shift := time.Since(f.start), cached*time.Duration(replica*7%10)/10
	asked := (at + shift).Truncate(cached) - shift
	addresses := make([]string, f.listing(max(0, asked)))
	for i := range addresses {
		addresses[i] = fmt.Sprintf("10.0.0.%d", i+1)
	}
	return addresses, nil
}

// run lets all replicas live, and returns when the last has ended.
func (f *fleet) run(t testing.TB, end time.Duration, live func(ctx context.Context, replica int, s stint)) {
	var all sync.WaitGroup
	for replica, s := range f.stints {
		all.Go(func() {
			if pause(t.Context(), s.born-time.Since(f.start)) != nil {
				return
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel() // no deadline: some contestants refuse jobs that would miss one
			timer := time.AfterFunc(min(s.dies, end)-time.Since(f.start), cancel)
			defer timer.Stop()
			live(ctx, replica, s)
		})
	}
	all.Wait()
}

// work is the load of one replica on one vault.
type work struct {
	keys   mix
	demand float64 // units per second; zero: all that it can do
	random *chance
}

// jobs has workers do one job after another until ctx ends. A limited demand
// saves up at most a second, and at least one call.
func (w work) jobs(ctx context.Context, t testing.TB, workers int, do job) {
	demand := rate.NewLimiter(rate.Inf, 0)
	if w.demand > 0 {
		demand = rate.NewLimiter(rate.Limit(w.demand), int(max(w.demand, w.keys.dearest.Cost)))
	}
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for ctx.Err() == nil {
				k := w.random.key(w.keys)
				if demand.WaitN(ctx, int(k.Cost)) != nil {
					return
				}
				if err := do(ctx, k); err != nil && !refused(err) && ctx.Err() == nil {
					t.Errorf("a job failed: %v", err)
					return
				}
			}
		})
	}
	all.Wait()
}
