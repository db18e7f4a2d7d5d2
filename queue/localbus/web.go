package localbus

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/signmill/signmill/queue/localbus/internal/admin"
)

const (
	namespaceName = "sbemulatorns" // that of the official emulator
	healthPath    = "/health"
)

// Handler returns the HTTP side of the server: the management API for queues,
// which takes the same tokens as links do, AMQP inside WebSockets and GET
// /health. Serve has it on the same port as AMQP.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if secure, _ := r.Context().Value(secureKey{}).(bool); secure && r.TLS == nil {
			r.TLS = &tls.ConnectionState{HandshakeComplete: true}
		}
		switch {
		case r.URL.Path == healthPath:
			s.health(w)
		case strings.EqualFold(r.URL.Path, webSocketPath):
			s.serveWebSocket(w, r)
		default:
			s.admin.ServeHTTP(w, r)
		}
	})
}

func (s *Server) newAdmin() http.Handler {
	c := admin.Config{Broker: s.broker, Name: namespaceName, Created: s.config.Clock.Now()}
	if !s.config.OpenAccess {
		c.Check = s.checker.Check
	}
	return admin.New(c)
}

// health tells probes whether the server works, in the official emulator's
// words.
func (s *Server) health(w http.ResponseWriter) {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	status, code, message := "healthy", http.StatusOK, "Service is healthy."
	if closed {
		status, code, message = "unhealthy", http.StatusServiceUnavailable, "Service is closed."
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": status, "message": message})
}
