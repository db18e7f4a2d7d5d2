package main

import (
	"context"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
)

// TestKilledReplayLosesNothing kills the real command again and again while it
// replays dead letters of a real broker. In the end a worker has answered each
// job once, and nothing is left.
func TestKilledReplayLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	const kills, jobs = 15, 600
	s := startStack(t, nil)
	s.env = append(s.env, "OTEL_TRACES_EXPORTER=none") // the reply queue must hold nothing in the end
	s.submit(0, jobs, 1)
	s.bury(jobs)
	for range kills {
		replay := s.command("dlq", "replay", "--yes", "--wait", "0s")
		s.must(replay.Start())
		<-time.After(rand.N(150 * time.Millisecond))
		_ = replay.Process.Kill() // it may have ended
		_ = replay.Wait()
	}
	out, err := s.command("dlq", "replay", "--yes").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	w := s.startWorker()
	for id, n := range s.answers(jobs) {
		if n != 1 {
			t.Errorf("%s has %d replies, want 1", id, n)
		}
	}
	jobsLeft, err := s.client.Receiver("jobs")
	s.must(err)
	s.await("the end of the second copies", func() bool {
		left, err := jobsLeft.Browse(s.Context(), 0, 1)
		return err == nil && len(left) == 0
	})
	s.must(w.Process.Signal(os.Interrupt))
	s.must(w.Wait())
	for _, name := range []string{"jobs", servicebus.DeadLetters("jobs"), "replies"} {
		from, err := s.client.Receiver(name)
		s.must(err)
		if got := s.receive(from, time.Second); len(got) > 0 {
			t.Errorf("queue %s holds the message %q, want none", name, got[0].ID)
		}
	}
}

// bury dead-letters all jobs.
func (s *processes) bury(jobs int) {
	s.Helper()
	from, err := s.client.Receiver("jobs")
	s.must(err)
	ctx, cancel := context.WithTimeout(s.Context(), awaitFor)
	defer cancel()
	for n := 0; n < jobs; {
		got, err := from.Receive(ctx, 100)
		s.must(err)
		for _, d := range got {
			s.must(d.DeadLetter(ctx, "attempts_exhausted", "test"))
		}
		n += len(got)
	}
	s.must(from.Close(ctx))
}

// answers takes replies until so many jobs have one, and counts them.
func (s *processes) answers(jobs int) map[string]int {
	s.Helper()
	from, err := s.client.Receiver("replies")
	s.must(err)
	seen := map[string]int{}
	for len(seen) < jobs {
		got := s.receive(from, awaitFor)
		if len(got) == 0 {
			s.Fatalf("no reply for %s; %d of %d jobs have one", awaitFor, len(seen), jobs)
		}
		for _, d := range got {
			result, err := schema.DecodeResult(d.Body)
			s.must(err)
			if result.Status != schema.Succeeded {
				s.Errorf("%s has status %q", result.ID, result.Status)
			}
			seen[result.ID]++
		}
	}
	s.must(from.Close(s.Context()))
	return seen
}
