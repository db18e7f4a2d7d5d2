package main

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"
)

// BenchmarkTracing does the same jobs with tracing off and on, in turns, and
// compares the processor time: "cpu-ratio" is the median over the rounds of the
// time with spans on the reply queue divided by that without any. The servers run
// in the process, and their time is in both.
func BenchmarkTracing(b *testing.B) {
	for _, items := range []int{1, 100} {
		b.Run(fmt.Sprintf("items=%d", items), func(b *testing.B) {
			var ratios []float64
			for b.Loop() {
				off := cpuOf(func() { runJobs(b, items, nil) })
				on := cpuOf(func() { runJobs(b, items, []string{exportServiceBus}) })
				ratios = append(ratios, on.Seconds()/off.Seconds())
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "cpu-ratio")
		})
	}
}

// benchItems is how many items one round does.
const benchItems = 10_000

// runJobs does benchItems in jobs of so many. Spans go to a queue of their own,
// which nobody reads.
func runJobs(b *testing.B, items int, exports []string) {
	m := newMill(b, func(o *workerOptions) { o.exports, o.traceQueue = exports, "traces" }, localQueue{Name: "traces"})
	jobs := benchItems / items
	go func() {
		for i := range jobs {
			m.submit(fmt.Sprint(i), items)
		}
	}()
	m.take("replies", jobs)
	m.drain()
}

// cpuOf returns the processor time that the process took for work.
func cpuOf(work func()) time.Duration {
	before := cpuTime()
	work()
	return cpuTime() - before
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
