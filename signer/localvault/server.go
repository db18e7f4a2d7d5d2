package localvault

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"
)

// Server is a vault. It is an [http.Handler], gives an in-memory transport with
// [Server.RoundTripper], and listens with [Server.Serve]; all three show the
// same keys and may be used at once.
type Server struct {
	managedHSM bool
	tenant     string
	latency    func(status int) time.Duration
	clock      Clock
	log        *slog.Logger

	table    []route
	keys     *store
	meter    *meter
	faults   faultBox
	tally    tally
	identity identity

	sealing  [32]byte      // key of backups
	prefix   [8]byte       // of request ids
	requests atomic.Uint64 // the rest of them
}

// New makes a vault with fresh keys and a fresh certificate. It returns one
// error that names all keys that cannot be made. RSA keys of 4,096 bits take
// seconds. It starts nothing that needs closing.
func New(cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	s := &Server{
		managedHSM: cfg.ManagedHSM,
		tenant:     cfg.Tenant,
		latency:    cfg.Latency,
		clock:      cfg.Clock,
		log:        cfg.Log,
		keys:       newStore(cfg),
		meter:      newMeter(cfg.Clock, cfg.Quota),
	}
	s.table = s.routes()
	s.faults.left = cfg.Faults
	if _, err := io.ReadFull(cfg.Random, s.prefix[:]); err != nil {
		return nil, fmt.Errorf("read random prefix: %w", err)
	}
	rand.Read(s.sealing[:]) // never fails
	if err := s.makeKeys(cfg.Keys); err != nil {
		return nil, err
	}
	var err error
	if s.identity, err = newIdentity(); err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	return s, nil
}

// call is a request on its way through the server.
type call struct {
	r             *http.Request
	came          time.Time
	secure        bool   // came over TLS, or in memory to an https address
	base          string // scheme and host that were asked
	admitted      bool   // has a token or needs none
	route         *route // nil until it is found
	name, version string
	held          *version // what route.key asks for
}

// errDropped says that the connection ends without an answer.
var errDropped = errors.New("localvault: connection dropped")

// answer carries a request through: decide, render, hold back, count.
func (s *Server) answer(r *http.Request, secure bool) (answer, error) {
	c := &call{r: r, came: s.clock.Now(), secure: secure, base: "http://" + hostOf(r)}
	if secure {
		c.base = "https://" + hostOf(r)
	}
	value, err := s.decide(c)
	if c.admitted && !errors.Is(err, errDropped) && s.faults.take(func(f *Faults) *int { return &f.DropAnswer }) {
		err = errDropped
	}
	if errors.Is(err, errDropped) {
		s.record(c, 0)
		return answer{}, err
	}
	a := s.render(c, value, err)
	if c.admitted {
		if err := s.hold(r.Context(), s.latency(a.status)+s.faults.peek().Delay); err != nil {
			return answer{}, err
		}
	}
	s.record(c, a.status)
	return a, nil
}

// decide returns what to answer: a value to send as JSON, or a refusal.
// Authentication comes first: a client's probe has no body.
func (s *Server) decide(c *call) (any, error) {
	if c.r.URL.Path == tokenPath {
		return s.token(c)
	}
	if c.secure && !hasToken(c.r) {
		if err := s.chargeProbe(); err != nil {
			return nil, err
		}
		return nil, unauthorized()
	}
	c.admitted = true
	if s.faults.take(func(f *Faults) *int { return &f.DropRequest }) {
		return nil, errDropped
	}
	if err := s.refuse(); err != nil {
		return nil, err
	}
	if err := s.prepare(c); err != nil {
		return nil, err
	}
	return c.route.handle(c)
}

// prepare finds the route and the key, charges the request, and checks that the
// key permits it.
func (s *Server) prepare(c *call) error {
	if c.r.URL.Query().Get("api-version") == "" {
		return badParameter("api-version", "the query parameter is missing")
	}
	if err := s.find(c); err != nil {
		return err
	}
	var missing error
	if c.route.key {
		c.held, missing = s.keys.find(c.name, c.version)
	}
	if !c.route.own {
		if err := s.chargeKey(c.held); err != nil {
			return err
		}
	}
	if missing != nil {
		return missing
	}
	if c.route.keyOp == "" {
		return nil
	}
	return c.held.permit(c.route.keyOp, s.clock.Now())
}

// hold waits for d or for the end of the request.
func (s *Server) hold(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-s.clock.After(d):
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// maxBody is far above what any request needs; an RSA 4096 key in a JWK takes
// about 5,000 bytes.
const maxBody = 64 << 10

// decode reads a JSON body into v.
func (c *call) decode(v any) error { return c.decodeUpTo(maxBody, v) }

// decodeUpTo is decode for bodies of other sizes, in bytes.
func (c *call) decodeUpTo(limit int, v any) error {
	if c.r.Body == nil {
		return badParameter("body", "a JSON object is needed")
	}
	body, err := io.ReadAll(io.LimitReader(c.r.Body, int64(limit)+1))
	if err != nil {
		return &problem{status: http.StatusBadRequest, code: "BadParameter", message: "The body could not be read."}
	}
	if len(body) > limit {
		return &problem{status: http.StatusRequestEntityTooLarge, code: "RequestEntityTooLarge", message: fmt.Sprintf("The body is larger than %d KiB.", limit>>10)}
	}
	if err := json.Unmarshal(body, v); err != nil {
		return badParameter("body", err.Error())
	}
	return nil
}
