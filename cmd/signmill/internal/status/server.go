package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server tells of workers.
type Server struct {
	Config
	began    time.Time
	lookouts []*lookout // one for each queue, in the order of samples

	mu       sync.Mutex // guards the fields below
	serving  bool
	draining bool
	samples  []sample // of the last minutes, the oldest first
}

// New returns a Server that tells nothing yet.
func New(c Config) *Server {
	s := &Server{Config: c, began: time.Now()}
	for _, w := range c.Workers {
		for i, q := range w.Queues {
			s.lookouts = append(s.lookouts, newLookout(w, i, q))
		}
	}
	return s
}

// Listen opens the place, which port 0 leaves to the system, returns where that
// is, and serves until stop is called, which waits.
func (s *Server) Listen(address string, log *slog.Logger) (at net.Addr, stop func(), err error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, nil, err
	}
	log.Info("health is served", "address", l.Addr().String())
	server := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	ctx, cancel := context.WithCancel(context.Background())
	var crew sync.WaitGroup
	crew.Go(func() { s.Watch(ctx) })
	crew.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("health is served no more", "error", err)
		}
	})
	return l.Addr(), func() {
		cancel()
		server.Close()
		crew.Wait()
	}, nil
}

// Watch keeps samples and looks at the queues until ctx ends. Listen does, too.
func (s *Server) Watch(ctx context.Context) {
	var crew sync.WaitGroup
	crew.Go(func() { s.record(ctx) })
	for _, l := range s.lookouts {
		if l.Browser != nil {
			crew.Go(func() { l.run(ctx) })
		}
	}
	crew.Wait()
}

// Path is something that a Server answers.
type Path struct {
	Path, About string
	serve       func(*Server, http.ResponseWriter, *http.Request)
}

// Paths lists them. The README has them in a table.
func Paths() []Path {
	return []Path{
		{"/livez", "200, unless a job has come no further for longer than it may: then a new process may help", func(s *Server, w http.ResponseWriter, _ *http.Request) { answer(w, s.hanging()) }},
		{"/readyz", "200 while the worker takes jobs; else 503, with the reason", func(s *Server, w http.ResponseWriter, _ *http.Request) { answer(w, s.unready()) }},
		{"/metrics", "what is measured, for Prometheus", func(s *Server, w http.ResponseWriter, r *http.Request) { s.Metrics.ServeHTTP(w, r) }},
		{"/", "a page for people: rate, backlog and when it is done, jobs in flight, use of the quota, the last failures, and what is wrong. It loads nothing, runs no script, and reads well on a phone", (*Server).servePage},
		{"/status.json", "the same for programs", (*Server).serveView},
	}
}

// Handler answers what Paths lists.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, p := range Paths() {
		at := p.Path
		if at == "/" {
			at = "/{$}" // and nothing below
		}
		mux.HandleFunc("GET "+at, func(w http.ResponseWriter, r *http.Request) { p.serve(s, w, r) })
	}
	return mux
}

func (s *Server) serveView(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(s.View()) //nolint:errcheck // who asked is gone
}

func (s *Server) servePage(w http.ResponseWriter, _ *http.Request) {
	for name, value := range pageHeaders {
		w.Header().Set(name, value)
	}
	fmt.Fprint(w, s.View().html())
}

// answer answers a probe.
func answer(w http.ResponseWriter, wrong []string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if len(wrong) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	} else {
		wrong = []string{"ok"}
	}
	for _, line := range wrong {
		fmt.Fprintln(w, line)
	}
}
