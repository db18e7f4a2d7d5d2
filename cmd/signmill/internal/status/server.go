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

// Listen opens the place, which port 0 leaves to the system, and serves until
// stop is called, which waits.
func (s *Server) Listen(address string, log *slog.Logger) (stop func(), err error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
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
	return func() {
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

// Handler answers what the package says.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.hanging()) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.unready()) })
	mux.Handle("GET /metrics", s.Metrics)
	mux.HandleFunc("GET /status.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		json.NewEncoder(w).Encode(s.View()) //nolint:errcheck // who asked is gone
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range pageHeaders {
			w.Header().Set(name, value)
		}
		fmt.Fprint(w, s.View().html())
	})
	return mux
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
