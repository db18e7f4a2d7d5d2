package localvault

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"sync"
)

// Stats are counts since the start of the vault.
type Stats struct {
	Challenged int // requests answered 401
	Throttled  int // requests answered 429, by quota or by fault
	Dropped    int // connections ended by a fault
	Tokens     int // tokens given out by the token endpoint
	// Operations done: list, create, import, versions, sign, verify, encrypt,
	// decrypt, wrapKey, unwrapKey, get, update, rotate, getPolicy, setPolicy,
	// delete, listDeleted, getDeleted, recover, purge, backup, restore,
	// attestation, release, random.
	Operations map[string]int
}

// tally counts answers.
type tally struct {
	mu    sync.Mutex // guards stats
	stats Stats
}

// Stats returns a copy of the counts.
func (s *Server) Stats() Stats {
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	copied := s.tally.stats
	copied.Operations = maps.Clone(copied.Operations)
	return copied
}

// record counts and logs an answer. Status zero: the connection was dropped.
func (s *Server) record(c *call, status int) {
	op := ""
	if c.route != nil {
		op = c.route.op
	}
	s.tally.count(op, status)
	if s.log.Enabled(c.r.Context(), slog.LevelDebug) {
		s.log.LogAttrs(context.WithoutCancel(c.r.Context()), slog.LevelDebug, "vault answered",
			slog.String("operation", op), slog.String("key", c.name), slog.String("version", c.version), slog.Int("status", status),
			slog.Duration("took", s.clock.Now().Sub(c.came)))
	}
}

func (t *tally) count(op string, status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case status == 0:
		t.stats.Dropped++
	case status == http.StatusUnauthorized:
		t.stats.Challenged++
	case status == http.StatusTooManyRequests:
		t.stats.Throttled++
	case status == http.StatusOK && op == "":
		t.stats.Tokens++
	case status == http.StatusOK || status == http.StatusNoContent:
		if t.stats.Operations == nil {
			t.stats.Operations = map[string]int{}
		}
		t.stats.Operations[op]++
	}
}
