package redisshare

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/signmill/signmill/signer/quota"
)

// Share is this replica's part of a fleet. Make one with [New] for each gate.
type Share struct {
	config Config
	client redis.UniversalClient
	keys   []string
	who    string

	mu    sync.Mutex // guards the fields below
	known answer     // the last
	lag   lag
	alone int // replicas it shares with by itself, or did until the next question; zero: it does not
	quota quota.Units
	tell  func(quota.Part) // nil while the gate does not ask
	asked bool             // a question was answered once, so this replica was counted
	noted time.Time        // when the loss was logged last; zero: the store is there
	least time.Time        // when a smaller quota of others was logged last; zero: never
	lost  context.CancelCauseFunc
}

// New returns a share that has not connected yet, or one error that lists all
// faults of the configuration. Close ends its connections.
func New(config Config) (*Share, error) {
	faults := config.faults()
	config = config.filled()
	client, err := newClient(config)
	if err := errors.Join(append(faults, err)...); err != nil {
		return nil, fmt.Errorf("share on a store: %w", err)
	}
	name := "signmill:quota:{" + config.Vault + "}"
	return &Share{
		config: config, client: client, who: rand.Text(), quota: config.Quota,
		keys: []string{name, name + ":seen", name + ":sends", name + ":accepts"},
	}, nil
}

// Close ends the connections. Run must have returned.
func (s *Share) Close() error { return s.client.Close() }

// SetQuota replaces Config.Quota from the next question on. It belongs to
// quota.Gate.SetQuota, and must reach all replicas: while they differ, the
// smallest counts.
func (s *Share) SetQuota(q quota.Units) error {
	if q <= 0 {
		return fmt.Errorf("share on a store: a quota of %d is not positive", q)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quota = q
	return nil
}

// Run keeps the part current until ctx ends, and then says that this replica
// leaves. It always returns nil: whatever fails is tried again.
func (s *Share) Run(ctx context.Context, tell func(quota.Part)) error {
	wait := backoff{}
	for ctx.Err() == nil {
		start := time.Now()
		err := s.attend(ctx, tell)
		if ctx.Err() != nil {
			break
		}
		if errors.Is(err, errOver) {
			continue // the gate goes on asking meanwhile
		}
		s.freeze(ctx, tell, err)
		if time.Since(start) > steady {
			wait = backoff{}
		}
		wait.pause(ctx)
	}
	s.leave(ctx)
	return nil
}

// leave lets the others have this replica's part at once.
func (s *Share) leave(ctx context.Context) {
	s.mu.Lock()
	known := s.known.record != 0 && s.alone == 0
	s.tell = nil
	s.mu.Unlock()
	if known {
		_, _ = s.run(context.WithoutCancel(ctx), "leave", nil, nil) // it stops counting soon anyway
	}
}

// question returns what the script must know of this replica.
func (s *Share) question(op string) question {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := question{
		Op: op, Who: s.who,
		Record: s.known.record, Epoch: s.known.epoch, Scale: s.known.scale,
		Full:  float64(s.quota) / s.config.Window.Seconds(),
		Guard: s.config.Guard, Window: s.config.Window.Seconds(), Seed: mathrand.Uint32(),
	}
	if op == "ask" {
		q.Frozen = s.alone
	}
	return q
}

// learn takes in an answer, and tells the gate what it changes. It returns by
// how much the answer was held up.
func (s *Share) learn(q question, a answer, asked time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	late := s.lag.late(now, a.given, now.Sub(asked))
	if a.epoch < s.known.epoch {
		return late // overtaken
	}
	changed := a.epoch > s.known.epoch || a.fleet != s.known.fleet
	s.known = a
	if q.Frozen > 0 {
		s.alone = 0
	}
	s.asked = s.asked || q.Op == "ask"
	if a.full < q.Full {
		s.noteQuota(a.full)
	}
	if changed {
		s.tellSlots()
	}
	return late
}

// noteQuota logs, each minute, that another replica was told a smaller quota. The
// lock is held.
func (s *Share) noteQuota(full float64) {
	if !s.least.IsZero() && time.Since(s.least) < remind {
		return
	}
	s.least = time.Now()
	s.config.Log.Warn("another replica has a smaller quota for this vault, and the smallest counts: give all the same",
		"vault", s.config.Vault, "quota", s.quota, "smallest", quota.Units(full*s.config.Window.Seconds()+0.5))
}

// hear takes in an epoch that was published.
func (s *Share) hear(epoch uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if epoch > s.known.epoch {
		s.known.epoch = epoch
		s.tellSlots()
	}
}

// tellSlots tells the gate to ask. The lock is held, so parts come in order.
func (s *Share) tellSlots() {
	if s.tell != nil {
		s.tell(quota.Part{Replicas: max(1, s.known.fleet, s.alone), Slots: s, Epoch: s.known.epoch})
	}
}
