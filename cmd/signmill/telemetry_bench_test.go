package main

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
)

// BenchmarkTracing has two workers do the same jobs in turns, one that tells
// something and one that tells nothing, in slices so short that whatever else the
// machine does meets both. It says by how many percent the throughput is less: by
// processor time ("cpu-lost-%") and by wall time ("wall-lost-%"), each a median over
// the rounds. Broker and vault run in the process and answer at once, so that
// nothing but processor time counts, and theirs is in both.
func BenchmarkTracing(b *testing.B) {
	spans := func(o *workerOptions) { o.traceQueue = "traces" }
	for _, told := range []struct {
		name, sampler string
		items         []int // in a job
		change        func(*workerOptions)
	}{
		{"spans", "", []int{1, 10, 100}, spans},
		{"spans not sampled", "always_off", []int{100}, spans},
		{"metrics", "", []int{100}, func(o *workerOptions) { o.exports, o.health = nil, ":0" }},
	} {
		for _, items := range told.items {
			b.Run(fmt.Sprintf("%s/items=%d", told.name, items), func(b *testing.B) {
				b.Setenv("OTEL_TRACES_SAMPLER", told.sampler)
				on := newMill(b, told.change, localQueue{Name: "traces"})
				alternate(b, newMill(b, func(o *workerOptions) { o.exports = nil }), on, items)
			})
		}
	}
}

// alternate has both workers do their slices.
func alternate(b *testing.B, off, on *mill, items int) {
	spend(off, items) // connects
	spend(on, items)
	var without, with []cost
	for round := 0; b.Loop(); round++ {
		if round%2 == 1 { // being first may be of use
			with = append(with, spend(on, items))
		}
		without = append(without, spend(off, items))
		if round%2 == 0 {
			with = append(with, spend(on, items))
		}
	}
	b.ReportMetric(lost(without, with, func(c cost) time.Duration { return c.cpu }), "cpu-lost-%")
	b.ReportMetric(lost(without, with, func(c cost) time.Duration { return c.wall }), "wall-lost-%")
}

// sliceItems is how many items a worker does before it is the other's turn.
const sliceItems = 2000 // 50 rounds are 100,000

// cost is what a slice took.
type cost struct{ cpu, wall time.Duration }

// spend has m do a slice in jobs of so many items, and tell its spans.
func spend(m *mill, items int) cost {
	runtime.GC() // nobody pays for the other's garbage
	jobs := max(1, sliceItems/items)
	cpu, wall := cpuTime(), time.Now()
	go func() {
		for i := range jobs {
			m.submit(fmt.Sprint(wall.UnixNano(), i), items)
		}
	}()
	m.take("replies", jobs)
	if q := m.post.telemetry.queue; q != nil {
		must(m.t, q.ForceFlush(m.t.Context()))
	}
	return cost{cpuTime() - cpu, time.Since(wall)}
}

// lost returns by how many percent the throughput is less in with.
func lost(without, with []cost, of func(cost) time.Duration) float64 {
	ratios := make([]float64, len(with))
	for i := range with {
		ratios[i] = of(without[i]).Seconds() / of(with[i]).Seconds()
	}
	slices.Sort(ratios)
	return 100 * (1 - ratios[len(ratios)/2])
}

// cpuTime is the processor time of the process until now.
func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
