package localvault

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Config describes a vault. The zero value is an empty vault without quota.
type Config struct {
	// Keys are made when the vault starts. Default: none.
	Keys []KeySpec
	// ManagedHSM answers as a Managed HSM does instead of a vault: keys are of
	// the HSM types only, answers repeat alg, and the texts differ.
	ManagedHSM bool
	// Tenant is named in the authentication challenge. Default: the nil UUID.
	Tenant string
	// Quota limits the operations. The zero value does not limit.
	Quota Quota
	// Faults are injected from the start. The zero value injects none.
	Faults Faults
	// Latency returns how long to hold back an answer of the given HTTP status.
	// It is called for each authenticated request, from several goroutines at
	// once. Nil: not at all.
	Latency func(status int) time.Duration
	// Clock drives dates, windows and delays. Nil: the wall clock, which is
	// virtual inside a testing/synctest bubble.
	Clock Clock
	// Random makes key versions and identifiers; it is read under a lock. Keys
	// and signatures always draw from crypto/rand. Nil: crypto/rand.
	Random io.Reader
	// Log takes one debug event per answer. Nil: discarded.
	Log *slog.Logger
}

// KeySpec describes a key that exists from the start.
type KeySpec struct {
	Name  string            // letters, digits and dashes, at most 127
	Type  string            // RSA, RSA-HSM, EC, EC-HSM or oct-HSM; required
	Size  int               // bits of an RSA key: 2048 (zero), 3072 or 4096; of an oct-HSM key: 128, 192 or 256 (zero)
	Curve string            // curve of an EC key: P-256 (empty), P-384, P-521 or P-256K
	Ops   []string          // allowed key operations; nil: all that fit the type
	Tags  map[string]string // nil: none
}

// Clock tells the time. Both methods must be safe for concurrent use.
type Clock interface {
	// Now returns the current time.
	Now() time.Time
	// After returns a channel that delivers once, d from now.
	After(d time.Duration) <-chan time.Time
}

// wallClock is the time package.
type wallClock struct{}

// Now is time.Now.
func (wallClock) Now() time.Time { return time.Now() }

// After is time.After.
func (wallClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	if c.Tenant == "" {
		c.Tenant = "00000000-0000-0000-0000-000000000000"
	}
	if c.Latency == nil {
		c.Latency = func(int) time.Duration { return 0 }
	}
	if c.Clock == nil {
		c.Clock = wallClock{}
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// makeKeys creates the configured keys and reports all that cannot be made.
func (s *Server) makeKeys(specs []KeySpec) error {
	var faults []error
	for _, spec := range specs {
		if err := s.makeKey(spec); err != nil {
			faults = append(faults, fmt.Errorf("key %q: %w", spec.Name, err))
		}
	}
	return errors.Join(faults...)
}

func (s *Server) makeKey(spec KeySpec) error {
	if !validName(spec.Name) {
		return badParameter("name", "must be 1 to 127 letters, digits and dashes")
	}
	if err := s.checkType(spec.Type); err != nil {
		return err
	}
	key, err := recipe{kty: spec.Type, bits: spec.Size, curve: spec.Curve}.generate()
	if err != nil {
		return err
	}
	v := version{kty: spec.Type, material: key, attributes: s.freshAttributes()}
	if v, err = v.with(settings{Ops: spec.Ops, Tags: spec.Tags}); err != nil {
		return err
	}
	_, err = s.keys.add(spec.Name, v)
	return err
}
