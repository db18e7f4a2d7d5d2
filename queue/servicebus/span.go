package servicebus

import (
	"context"
	"sync"
	"time"
)

// span is the life of one link. A delivery that came in during a span can be
// settled on the link until the span ends; from then on only by lock token.
//
// The client does not see it that way. It settles on the link of the message
// even when that is gone for good, waits 4 s, then rebuilds the connection, up
// to three times, although the connection has long been rebuilt and works. So
// the end of a span cancels every attempt that is under way on it.
type span struct {
	mu       sync.Mutex // guards the fields below
	over     bool
	attempts map[*attempt]struct{}
}

// attempt is a call on the link.
type attempt struct{ cancel context.CancelFunc }

func newSpan() *span {
	return &span{attempts: make(map[*attempt]struct{})}
}

// linkAttempt bounds a settlement on the link. It lies well above the latency
// of a broker that works, and below 3.2 s, the client's shortest wait before
// it would rebuild the connection.
const linkAttempt = 2 * time.Second

// try runs call, and cancels its context when the span ends or after
// linkAttempt. It returns false when the span was over before.
func (s *span) try(ctx context.Context, call func(context.Context) error) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, linkAttempt)
	defer cancel()
	a := &attempt{cancel}
	if !s.join(a) {
		return false, nil
	}
	defer s.leave(a)
	return true, call(ctx)
}

func (s *span) join(a *attempt) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.attempts[a] = struct{}{}
	}
	return !s.over
}

func (s *span) leave(a *attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.attempts, a)
}

// end cancels the attempts that are under way and lets no further one start.
func (s *span) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	for a := range s.attempts {
		a.cancel()
	}
}

// ended reports whether the span is over.
func (s *span) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}
