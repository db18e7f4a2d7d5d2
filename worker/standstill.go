package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Several is a Policy that knows whether jobs may use more than one key. Where
// there is one alone, a vault that gives no answer holds up nobody else's jobs,
// and they wait here. Any other Policy counts as one of several keys.
type Several interface {
	Several() bool
}

// Several reports whether there is more than one key.
func (a Allowance) Several() bool { return len(a.Keys) > 1 }

// errStandstill is why a job ends that is put off to make room.
var errStandstill = errors.New("its key gives no answer, and its place is for jobs of others")

// Nothing may come of a key for longestSilence, which is more than a window of the
// vault's quota lasts, and for two turns of the jobs held, but no more than
// longestTurns of them.
const (
	longestSilence = 15 * time.Second
	longestTurns   = time.Minute
)

// How many jobs stay when nothing comes of what they need: those that find out
// when it answers again.
const (
	stayForKey   = 2
	stayForVault = 4
)

// standstill knows which keys and vaults give no answer, and ends most jobs that
// wait for them: those would hold all places, so that the jobs of other keys
// behind them in the queue would not be seen.
type standstill struct {
	several  func() bool          // keys that jobs may use
	patience func() time.Duration // for which nothing may come of one
	log      *slog.Logger

	mu sync.Mutex        // guards of, and what is in it
	of map[string]*crowd // by vault, and by vault and key; those that jobs held need
}

// crowd is the jobs held that need one key, or one vault.
type crowd struct {
	what  string // it is, for the log
	stay  int    // jobs that may
	jobs  []*waiter
	since time.Time   // the last answer, or since when there are jobs
	still bool        // jobs were put off since then
	alarm *time.Timer // for the end of patience; nil: none is set
}

// waiter is a job that can be ended. Nil is one that cannot.
type waiter struct {
	of  *standstill
	in  [2]*crowd // of the vault and of the key
	end context.CancelCauseFunc
}

func newStandstill(c Config, patience func() time.Duration) *standstill {
	several := func() bool { return true }
	if p, ok := c.Policy.(Several); ok {
		several = p.Several
	}
	return &standstill{several: several, patience: patience, log: c.Log, of: map[string]*crowd{}}
}

// patience is how long nothing may come of a key that is well. Where the pace is
// slow, each of many jobs has to wait for its turn.
func (w *Worker) patience() time.Duration {
	if w.Pace == nil {
		return longestSilence
	}
	held := 0
	for _, from := range w.sources {
		held += len(from.held)
	}
	turns := longestTurns.Seconds()
	if pace := w.Pace.Pace(); pace > 0 {
		turns = min(turns, 2*float64(held)/pace)
	}
	return longestSilence + time.Duration(turns*float64(time.Second))
}

// enter takes in a job that needs a key, until it leaves. The job's context ends
// with errStandstill when it has to make room.
func (s *standstill) enter(ctx context.Context, ref signer.Ref) (context.Context, *waiter) {
	w := &waiter{of: s}
	ctx, w.end = context.WithCancelCause(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	w.in = [2]*crowd{s.crowd(ref.Vault, stayForVault), s.crowd(ref.Vault+"/keys/"+ref.Name, stayForKey)}
	for _, c := range w.in {
		c.jobs = append(c.jobs, w)
		s.look(c)
	}
	return ctx, w
}

// crowd returns the crowd of a key or vault, made for its first job.
func (s *standstill) crowd(what string, stay int) *crowd {
	if s.of[what] == nil {
		s.of[what] = &crowd{what: what, stay: stay, since: time.Now()}
	}
	return s.of[what]
}

// leave ends what enter began.
func (w *waiter) leave() {
	if w == nil {
		return
	}
	w.end(nil)
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	for _, c := range w.in {
		c.jobs = slices.DeleteFunc(c.jobs, func(other *waiter) bool { return other == w })
		if len(c.jobs) == 0 {
			delete(w.of.of, c.what)
		}
		if len(c.jobs) <= c.stay && c.alarm != nil {
			c.alarm.Stop()
			c.alarm = nil
		}
	}
}

// answered takes in that something came of the key that the job needs.
func (w *waiter) answered() {
	if w == nil {
		return
	}
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	for _, c := range w.in {
		if c.still {
			w.of.log.Info("answers come again: no more jobs are put off", "from", c.what)
		}
		c.since, c.still = time.Now(), false
	}
}

// look ends the newest jobs of c, all but a few, when nothing has come of it for
// too long. Before that it sets an alarm to look again.
func (s *standstill) look(c *crowd) {
	if len(c.jobs) <= c.stay || c.alarm != nil || !s.several() {
		return
	}
	silent := time.Since(c.since)
	switch left := s.patience() - silent; {
	case left > 0:
		c.alarm = time.AfterFunc(left, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			c.alarm = nil
			s.look(c)
		})
	default:
		if !c.still {
			s.log.Warn("no answer: jobs are put off, so that others find room", "from", c.what, "silent_ms", silent.Milliseconds(), "stay", c.stay)
		}
		c.still = true
		for _, w := range c.jobs[c.stay:] {
			w.end(stillError{silent})
		}
	}
}

// stillError is errStandstill, and for how long nothing came.
type stillError struct{ silent time.Duration }

// Error says why, and how long nothing came.
func (e stillError) Error() string {
	return fmt.Sprintf("%v (%s)", errStandstill, e.silent.Round(time.Second))
}

// Unwrap returns errStandstill.
func (e stillError) Unwrap() error { return errStandstill }

// Bounds of the time for which a job is put off while its key gives no answer. A
// long queue of such jobs passes through the worker once in that time.
const (
	soonestBack = 15 * time.Second
	latestBack  = 5 * time.Minute
)

// pause is how long the job stays away: at most as long as the silence has lasted,
// and half of the time that is left.
func (e stillError) pause(left time.Duration, random func(time.Duration) time.Duration) time.Duration {
	longest := min(max(e.silent, 2*soonestBack), latestBack)
	return min(longest/2+random(longest/2), max(left/2, time.Second))
}

// asksVault reports whether the items of p need an answer of the vault: what a
// public key can do says nothing of it.
func (p *progress) asksVault() bool {
	switch p.job.Operation {
	case schema.Sign, schema.Decrypt, schema.UnwrapKey:
		return true
	}
	return p.key.Symmetric
}
