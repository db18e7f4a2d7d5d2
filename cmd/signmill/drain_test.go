package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"syscall"
	"testing"
	"time"
)

var drains = flag.Int("drain.count", 12, "how often TestDrains sends SIGTERM")

// TestDrains sends SIGTERM to the real worker again and again, at any moment
// while it has more to do than it can hold. Each time it ends well, nothing is
// lost or signed twice, and what it did not finish comes again.
//
// A message that the broker sends in the instant in which the link ends stays
// locked, and its second delivery is the first that anybody works on. That is
// counted: about one job in two thousand. One in a hundred is allowed, and besides
// what one link may have asked for, as many jobs as a worker holds: on a busy machine
// that is lost in one unlucky moment.
func TestDrains(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	m := newMatrix(t)
	const jobs, items = 40, 10
	m.ask(0, jobs, items)
	for round := range *drains {
		m.ask(round+1, jobs, items)
		m.drain(rand.N(200 * time.Millisecond))
	}
	m.finish()
	if n := m.log.count("lock lost"); n > 0 {
		t.Errorf("%d locks were lost", n)
	}
	answered, first := m.log.count(`"msg":"job answered"`), m.log.matches(answeredAtOnce)
	t.Logf("%d drains, %d of them with jobs under way; %d of %d jobs were answered on their first delivery",
		*drains, m.log.count(`"msg":"draining"`), first, answered)
	const held = 16 // twice --concurrency
	if again := answered - first; again > answered/100+held {
		t.Errorf("%d jobs came more than once: %s", again, m.log.tail())
	}
	m.conclude()
}

// answeredAtOnce is the event of a job that was answered on its first delivery,
// and is no copy that a worker put off.
var answeredAtOnce = regexp.MustCompile(`"msg":"job answered","message_id":"job [^"]*","delivery_count":1,`)

// matches counts the parts of the log that match.
func (l *workerLog) matches(what *regexp.Regexp) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(what.FindAllIndex(l.text, -1))
}

// drain starts a worker and sends it SIGTERM, so long after it began to serve.
func (m *matrix) drain(after time.Duration) {
	m.Helper()
	w := m.workerCommand("--concurrency", "8")
	m.set("", 0, func() {})
	served := m.log.count("worker serves")
	m.must(w.Start())
	m.await("a worker", func() bool { return m.log.count("worker serves") > served })
	<-time.After(after)
	m.must(w.Process.Signal(syscall.SIGTERM))
	if err := w.Wait(); err != nil {
		m.must(fmt.Errorf("drain: %w: %s", err, m.log.tail()))
	}
}
