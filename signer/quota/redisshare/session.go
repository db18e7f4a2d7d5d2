package redisshare

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/signmill/signmill/signer/quota"
)

const (
	firstPause = 50 * time.Millisecond // between sessions, at most
	lastPause  = time.Second           // the client itself looks once a second whether the store is back
	steady     = 10 * time.Second      // a session this long was no accident
)

// errOver ends a session whose connection has lived for long enough.
var errOver = errors.New("the session is over")

// attend is one session: it subscribes, tells the gate to ask, and passes on
// epochs until the store is lost or ctx ends. It returns the cause.
func (s *Share) attend(ctx context.Context, tell func(quota.Part)) error {
	ctx, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	s.mu.Lock()
	s.lost = lose
	s.mu.Unlock()
	if s.config.Login != nil {
		if _, _, err := s.config.Login(ctx); err != nil {
			return fmt.Errorf("log in to the store: %w", err)
		}
	}
	pushes := s.client.Subscribe(ctx)
	stop := context.AfterFunc(ctx, func() { _ = pushes.Close() })
	defer func() {
		if stop() {
			_ = pushes.Close()
		}
	}()
	if err := s.enter(ctx, pushes); err != nil {
		return err
	}
	s.begin(ctx, tell)
	err := s.listen(ctx, pushes)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// enter subscribes, and looks at the record then: an epoch that is published
// meanwhile is not missed.
func (s *Share) enter(ctx context.Context, pushes *redis.PubSub) error {
	bounded, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	if err := pushes.Subscribe(bounded, s.keys[0]); err != nil {
		return fmt.Errorf("subscribe to the store: %w", err)
	}
	if _, err := pushes.ReceiveTimeout(bounded, s.config.Timeout); err != nil {
		return fmt.Errorf("subscribe to the store: %w", err)
	}
	_, err := s.run(ctx, "join", nil, nil)
	return err
}

// begin tells the gate to ask from now on.
func (s *Share) begin(ctx context.Context, tell func(quota.Part)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tell == nil {
		s.config.Log.InfoContext(ctx, "vault budget comes from the store",
			"vault", s.config.Vault, "replicas", s.known.fleet, "scale", s.known.scale)
	}
	s.tell, s.noted = tell, time.Time{}
	s.tellSlots()
}

// listen passes on epochs. A subscription that gives no sign of life for twice
// the time between pings is lost. One that was made with Config.Login ends with
// errOver in time.
func (s *Share) listen(ctx context.Context, pushes *redis.PubSub) error {
	for begun, silent := time.Now(), false; ; {
		if s.config.Login != nil && time.Since(begun) >= loginLife {
			return errOver
		}
		message, err := pushes.ReceiveTimeout(ctx, s.config.Ping)
		var timeout net.Error
		switch {
		case err == nil:
			silent = false
		case silent || !errors.As(err, &timeout) || !timeout.Timeout():
			return fmt.Errorf("listen to the store: %w", err)
		default:
			silent = true
			if err := pushes.Ping(ctx); err != nil {
				return fmt.Errorf("ping the store: %w", err)
			}
		}
		if m, ok := message.(*redis.Message); ok {
			if epoch, err := strconv.ParseUint(m.Payload, 10, 64); err == nil {
				s.hear(epoch)
			}
		}
	}
}

// lose ends the session.
func (s *Share) lose(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost != nil {
		s.lost(cause)
	}
}

// freeze has the gate go on by itself, if it was ever granted anything. Before
// that nobody has counted this replica, and as many as there are would each take
// the whole rate.
func (s *Share) freeze(ctx context.Context, tell func(quota.Part), cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(ctx, cause)
	if s.tell == nil || !s.asked {
		s.tell = nil
		return
	}
	s.tell, s.alone = nil, max(1, s.known.fleet, s.alone)
	tell(quota.Part{Replicas: s.alone, Scale: s.known.scale})
}

// remind is the time after which a store that stays away is logged again. The
// first cause may be a slow answer, and a later one tell why.
const remind = time.Minute

// note logs the loss, and from time to time that it lasts. The lock is held.
func (s *Share) note(ctx context.Context, cause error) {
	if !s.noted.IsZero() && time.Since(s.noted) < remind {
		return
	}
	s.noted = time.Now()
	if !s.asked {
		s.config.Log.WarnContext(ctx, "the store of the vault budget cannot be used, and nothing is sent to the vault until it can",
			"vault", s.config.Vault, "err", cause)
		return
	}
	s.config.Log.WarnContext(ctx, "the store of the vault budget is lost, and the last share is kept",
		"vault", s.config.Vault, "replicas", max(s.known.fleet, s.alone), "scale", s.known.scale, "err", cause)
}

// backoff is a random wait whose bound doubles.
type backoff struct{ bound time.Duration }

func (b *backoff) pause(ctx context.Context) {
	b.bound = min(lastPause, max(firstPause, 2*b.bound))
	timer := time.NewTimer(rand.N(b.bound))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
