package status

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signmill/signmill/queue"
)

// Serve notes that the workers take jobs now, until ctx ends.
func (s *Server) Serve(ctx context.Context) {
	s.set(true, false)
	context.AfterFunc(ctx, func() { s.set(true, true) })
}

func (s *Server) set(serving, draining bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serving, s.draining = serving, draining
}

// phase is "starting", "serving" or "draining".
func (s *Server) phase() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.draining:
		return "draining"
	case s.serving:
		return "serving"
	}
	return "starting"
}

// hanging says why a worker makes no progress; nothing: it does. A new process
// may mend that, and nothing else that can be wrong here.
func (s *Server) hanging() (wrong []string) {
	for _, w := range s.Workers {
		if silent := w.State().Silent; silent > s.Longest {
			wrong = append(wrong, fmt.Sprintf("a job of the queue %s has come no further for %s", w.Queues[0].Name, silent.Round(time.Second)))
		}
	}
	return wrong
}

// unready says why the workers do not take jobs; nothing: they do.
func (s *Server) unready() []string {
	switch s.phase() {
	case "draining":
		return []string{"draining: jobs under way are finished, and none are taken"}
	case "starting":
		return []string{"starting: queues and keys are being tried"}
	}
	return append(s.refused(), s.silent()...)
}

// refused names the queues that refuse their worker.
func (s *Server) refused() (wrong []string) {
	for _, l := range s.lookouts {
		if err := l.state().Refused; err != nil {
			wrong = append(wrong, fmt.Sprintf("the queue %s refuses the worker: %s; signmill doctor tells what to do", l.Name, refusal(err)))
		}
	}
	return wrong
}

func refusal(err error) string {
	if errors.Is(err, queue.ErrNotFound) {
		return "there is no such queue, or it is disabled"
	}
	return "it has no right to listen, or no token"
}

// silent tells of a broker that does not answer.
func (s *Server) silent() []string {
	var longest time.Duration
	for _, l := range s.lookouts {
		longest = max(longest, l.silent())
	}
	if longest == 0 {
		return nil
	}
	return []string{fmt.Sprintf("the broker has not answered for %s", longest.Round(time.Second))}
}
