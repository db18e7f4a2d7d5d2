package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/worker"
)

// health serves what machines and people want to know of a worker:
//
//	/livez    200 while its loop makes progress
//	/readyz   200 while it takes jobs: queues and keys were tried, and the job queue does not refuse it
//	/metrics  in Prometheus' form
//	/         a page for people
type health struct {
	post  *post
	limit time.Duration // for which no job stays at one step unless the worker hangs
	began time.Time

	mu       sync.Mutex // guards the fields below
	serving  bool
	draining bool
	samples  []sample // of the last minute
}

// sample is how many items were done at a time.
type sample struct {
	at    time.Time
	items int64
}

// hangs is what may come on top of the time for an attempt: a try to reply, the
// settlement, and the pause before the job is given back.
const hangs = 5 * time.Minute

func newHealth(p *post, jobTimeout time.Duration) *health {
	return &health{post: p, limit: jobTimeout + hangs, began: time.Now()}
}

// listen opens the place, which port 0 leaves to the system, and serves until
// stop is called.
func (h *health) listen(address string, log *slog.Logger) (stop func(), err error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w: choose another place with --health", err)
	}
	log.Info("health is served", "address", l.Addr().String())
	server := &http.Server{Handler: h.handler(), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	ctx, cancel := context.WithCancel(context.Background())
	var crew sync.WaitGroup
	crew.Go(func() { h.watch(ctx) })
	crew.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("health is served no more", "error", err)
		}
	})
	return func() {
		cancel()
		server.Close()
		crew.Wait()
	}, nil
}

func (h *health) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { verdictOf(w, h.hanging()) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { verdictOf(w, h.unready()) })
	mux.Handle("GET /metrics", h.post.telemetry.measured.page)
	mux.HandleFunc("GET /{$}", h.show)
	return mux
}

// verdictOf answers a probe.
func verdictOf(w http.ResponseWriter, wrong string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if wrong != "" {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, wrong)
		return
	}
	fmt.Fprintln(w, "ok")
}

// hanging says why the worker makes no progress, or "".
func (h *health) hanging() string {
	if silent := h.state().Silent; silent > h.limit {
		return fmt.Sprintf("a job has come no further for %s", silent.Round(time.Second))
	}
	return ""
}

// unready says why the worker takes no jobs, or "".
func (h *health) unready() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.draining:
		return "draining"
	case !h.serving:
		return "queues and keys are being tried"
	}
	for _, q := range h.state().Queues {
		if q.Refused != nil {
			return "the job queue refuses the worker"
		}
	}
	return ""
}

// serve notes that the worker takes jobs now, until ctx ends.
func (h *health) serve(ctx context.Context) {
	h.set(true, false)
	context.AfterFunc(ctx, func() { h.set(true, true) })
}

func (h *health) set(serving, draining bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.serving, h.draining = serving, draining
}

// watch takes a sample every few seconds, until ctx ends.
func (h *health) watch(ctx context.Context) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		h.sample(time.Now())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// sample keeps those of the last minute, and one before.
func (h *health) sample(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.samples = append(h.samples, sample{now, h.state().Items})
	for len(h.samples) > 2 && now.Sub(h.samples[1].at) >= time.Minute {
		h.samples = h.samples[1:]
	}
}

// rate returns the items in a second over the last minute, or so far.
func (h *health) rate(items int64) float64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.samples) == 0 {
		return 0
	}
	first := h.samples[0]
	return float64(items-first.items) / max(1, time.Since(first.at).Seconds())
}

// vaultState is the gate of a vault.
type vaultState struct {
	Vault string
	quota.State
}

// state sums up the workers.
func (h *health) state() (s worker.State) {
	for _, w := range h.post.workers {
		one := w.State()
		s.Held, s.Silent, s.Places = s.Held+one.Held, max(s.Silent, one.Silent), s.Places+one.Places
		s.Items, s.Answered, s.GivenBack, s.Dead = s.Items+one.Items, s.Answered+one.Answered, s.GivenBack+one.GivenBack, s.Dead+one.Dead
		s.Queues, s.Failures = append(s.Queues, one.Queues...), append(s.Failures, one.Failures...)
	}
	slices.SortStableFunc(s.Failures, func(a, b worker.Failure) int { return b.At.Compare(a.At) })
	return s
}

// most returns how many jobs may be held.
func (h *health) most() (n int) {
	for _, w := range h.post.workers {
		n += w.JobsHeld
	}
	return n
}

// status is what the page shows.
type status struct {
	Version string
	Up      time.Duration
	Wrong   string // why the worker takes no jobs, or makes no progress
	Rate    float64
	Worker  worker.State
	Most    int          // jobs that may be held
	Gates   []vaultState // none: calls are not paced
	Spans   [2]int64     // sent and dropped
}

func (h *health) status() status {
	s := status{
		Version: readVersion().Version, Up: time.Since(h.began).Round(time.Second), Wrong: h.hanging(),
		Worker: h.state(), Most: h.most(),
	}
	if s.Wrong == "" {
		s.Wrong = h.unready()
	}
	s.Rate = h.rate(s.Worker.Items)
	h.post.gates.each(func(vault string, g quota.State) { s.Gates = append(s.Gates, vaultState{vault, g}) })
	if q := h.post.telemetry.queue; q != nil {
		s.Spans[0], s.Spans[1] = q.counts()
	}
	return s
}
