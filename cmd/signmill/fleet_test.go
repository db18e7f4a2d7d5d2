package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/signmill/signmill/signer/quota/redisshare/redistest"
)

var fleetWindows = flag.Int("fleet.windows", 0, "windows of 10 s that TestFleetUsesTheQuota lasts; 0: it is skipped")

// TestFleetKeepsToItsShare has three real workers work off jobs at one real
// vault that would let them do more. Each may use a third of the quota, so that
// the one that does most needs a third of the jobs' time at least; a busy
// machine only makes it longer.
func TestFleetKeepsToItsShare(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	const replicas, units, quota = 3, 108, 300
	answers := &vaultLog{}
	s := startStack(t, answers, "--log-level", "debug")
	var fleet []*exec.Cmd
	for range replicas {
		fleet = append(fleet, s.startWorker("--quota", strconv.Itoa(quota), "--share", "static:3"))
	}
	begun := time.Now()
	s.submit(0, 12, units/12)
	s.await("the last signature", func() bool { return answers.signatures() >= units })
	took := time.Since(begun)
	for _, w := range fleet {
		s.must(w.Process.Signal(os.Interrupt))
		s.must(w.Wait())
	}
	t.Logf("%d units of a quota of %d in 10 s took %s", units, quota, took)
	if least := 3 * time.Second; took < least { // units/quota of 10 s, less what a gate lets go at once
		t.Errorf("%d units took %s, want at least %s", units, took, least)
	}
}

// TestFleetUsesTheQuota has three real workers work off a backlog at one real
// vault that allows them less than they could do. The vault counts calls as they
// come. How well that goes is a figure of the machine, too: `make
// quota-processes` wants one that has nothing else to do.
func TestFleetUsesTheQuota(t *testing.T) {
	if *fleetWindows == 0 {
		t.Skip("no -fleet.windows are given")
	}
	t.Run("static", func(t *testing.T) { useTheQuota(t, "static:3", 3*time.Second) })
	t.Run("store", func(t *testing.T) {
		if *fleetWindows <= 2 {
			t.Skip("takes half a minute more; make quota-processes runs it")
		}
		useTheQuota(t, "redis://"+startStore(t), 7*time.Second) // a new record grants nothing for 4 s
	})
}

// startStore starts a Redis, a real one if there is one, and returns its address.
func startStore(t *testing.T) string {
	if p := redistest.StartProcess(t, "redis-server"); p != nil {
		return p.Addr()
	}
	t.Log("redis-server is not on PATH: the store is one in memory")
	store := redistest.New(t, nil)
	if err := store.Start(); err != nil {
		t.Fatal(err)
	}
	return store.Addr()
}

// useTheQuota measures workers that have so long to get started.
func useTheQuota(t *testing.T, share string, start time.Duration) {
	const replicas, units, window = 3, 1000, 10 * time.Second
	quota := strconv.Itoa(units)
	answers := &vaultLog{}
	s := startStack(t, answers, "--quota", quota, "--log-level", "debug")
	for round := range *fleetWindows + 2 { // one for the start, and one to spare
		s.submit(round, 20, units/20)
	}
	var fleet []*exec.Cmd
	for range replicas {
		fleet = append(fleet, s.startWorker("--quota", quota, "--share", share, "--drain-timeout", "2s"))
	}
	from := time.Now().Add(start) // replicas start out of step
	for n := range *fleetWindows {
		end := from.Add(time.Duration(n+1) * window)
		s.await("the next window", func() bool { return answers.last().After(end) })
	}
	for _, w := range fleet {
		s.must(w.Process.Signal(os.Interrupt))
		s.must(w.Wait())
	}
	span := time.Duration(*fleetWindows) * window
	done, throttled, most := answers.within(from, from.Add(span)), answers.refused(), answers.fullest(window)
	goodput, refused := float64(done)/float64(units**fleetWindows), float64(throttled)/float64(done+throttled)
	t.Logf("goodput %.2f %% of the quota, %.2f %% throttled, %d units in the fullest window of %d", 100*goodput, 100*refused, most, units)
	if refused > 0.01 || most > units {
		t.Errorf("want at most 1 %% throttled, and no window above %d", units)
	}
	if goodput < 0.97 {
		t.Error("want at least 97 % of the quota")
	}
}

// vaultLog reads what a local vault logs: when the calls came that it signed, and
// what it refused.
type vaultLog struct {
	mu        sync.Mutex // guards the fields below
	rest      []byte     // the beginning of a line
	signed    []time.Time
	throttled int
}

func (l *vaultLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		l.rest = rest
		var event struct {
			Time      time.Time
			Msg       string
			Operation string
			Status    int
			Took      time.Duration
		}
		if err := json.Unmarshal(line, &event); err != nil || event.Msg != "vault answered" {
			continue
		}
		switch {
		case event.Status == 429:
			l.throttled++
		case event.Status == 200 && event.Operation == "sign":
			l.signed = append(l.signed, event.Time.Add(-event.Took))
		}
	}
}

func (l *vaultLog) last() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.signed) == 0 {
		return time.Time{}
	}
	return l.signed[len(l.signed)-1]
}

func (l *vaultLog) refused() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.throttled
}

func (l *vaultLog) signatures() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.signed)
}

// within counts the signatures of a span.
func (l *vaultLog) within(from, to time.Time) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, at := range l.signed {
		if !at.Before(from) && at.Before(to) {
			n++
		}
	}
	return n
}

// fullest returns the most signatures in any span of that length.
func (l *vaultLog) fullest(span time.Duration) (most int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.SortFunc(l.signed, time.Time.Compare)
	first := 0
	for i, at := range l.signed {
		for at.Sub(l.signed[first]) >= span {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
