package worker_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
)

var (
	soakFor  = flag.Duration("soak.for", 0, "how long TestSoak lasts; 0: not at all")
	soakRate = flag.Int("soak.rate", 20, "jobs that TestSoak sends in a second")
)

// TestSoak keeps a worker busy and watches what it takes: heap, goroutines and
// descriptors of this process, in which broker, vault and clients live, too. None
// of them grows once all is warm.
func TestSoak(t *testing.T) {
	if *soakFor == 0 {
		t.Skip("takes as long as -soak.for says")
	}
	const items = 5
	p := newPlant(t, 20*time.Second, 1000)
	p.employ(p.reach(p.broker))
	drain := p.start()
	ctx, stop := context.WithTimeout(t.Context(), *soakFor)
	defer stop()
	var crew sync.WaitGroup
	var replies atomic.Int64
	crew.Go(func() {
		p.collect(ctx, func(d *queue.Delivery) {
			if result, err := schema.DecodeResult(d.Body); err != nil || result.Status != schema.Succeeded {
				t.Errorf("%s has status %q, error %v", d.CorrelationID, result.Status, err)
			}
			replies.Add(1)
		})
	})
	crew.Go(func() { p.drip(ctx, items) })
	samples := watchProcess(ctx, *soakFor/60)
	crew.Wait()
	drain()
	t.Logf("%d jobs of %d items answered in %s", replies.Load(), items, *soakFor)
	judgeSoak(t, samples)
}

// drip sends jobs at the rate until ctx ends.
func (p *plant) drip(ctx context.Context, items int) {
	to, err := p.reach(p.broker).Sender(work)
	p.must(err)
	tick := time.NewTicker(time.Second / time.Duration(*soakRate))
	defer tick.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		j := job(fmt.Sprint(n), items)
		if err := to.Send(context.WithoutCancel(ctx), queue.Message{ID: j.ID, Body: p.encode(j)}); err != nil {
			p.t.Errorf("send: %v", err)
		}
		select {
		case p.window <- struct{}{}:
		case <-ctx.Done():
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// sample is what the process takes at a moment.
type sample struct {
	at                            time.Duration
	heap, goroutines, descriptors float64
}

// watchProcess takes samples until ctx ends.
func watchProcess(ctx context.Context, every time.Duration) (samples []sample) {
	began := time.Now()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return samples
		case <-tick.C:
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			open, _ := os.ReadDir("/proc/self/fd") // nothing where there is no such thing
			samples = append(samples, sample{time.Since(began), float64(m.HeapAlloc) / (1 << 20), float64(runtime.NumGoroutine()), float64(len(open))})
		}
	}
}

// judgeSoak fails when something grows. The first fifth is for warming up.
func judgeSoak(t *testing.T, samples []sample) {
	t.Helper()
	samples = samples[len(samples)/5:]
	for _, what := range []struct {
		name string
		of   func(sample) float64
	}{
		{"heap in MiB", func(s sample) float64 { return s.heap }},
		{"goroutines", func(s sample) float64 { return s.goroutines }},
		{"descriptors", func(s sample) float64 { return s.descriptors }},
	} {
		g := growthOf(samples, what.of)
		t.Logf("%-12s from %.1f to %.1f, mean %.1f, slope %+.2f in an hour, %+.1f %% of the mean over the run",
			what.name, g.least, g.most, g.mean, g.slope, 100*g.share())
		if g.grows() {
			t.Errorf("%s grow", what.name)
		}
	}
}
