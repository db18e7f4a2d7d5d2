package redisshare_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/signer/quota/redisshare"
	"github.com/signmill/signmill/signer/quota/redisshare/redistest"
)

const record = "signmill:quota:{v}"

// replica is a share that runs, and what it told its gate.
type replica struct {
	*redisshare.Share
	t    *testing.T
	stop func()

	mu    sync.Mutex // guards parts
	parts []quota.Part
}

// join starts a replica with a name on the network.
func join(t *testing.T, store *redistest.Store, name string) *replica {
	t.Helper()
	share, err := redisshare.New(redisshare.Config{URL: "redis://store", Vault: "v", Guard: 1, Dial: store.Dialer(name)})
	if err != nil {
		t.Fatal(err)
	}
	return start(t, share)
}

// start runs a share until the test ends.
func start(t *testing.T, share *redisshare.Share) *replica {
	r := &replica{Share: share, t: t}
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { _ = share.Run(ctx, r.told) })
	r.stop = sync.OnceFunc(func() {
		cancel()
		run.Wait()
		_ = share.Close()
	})
	t.Cleanup(r.stop)
	return r
}

func (r *replica) told(p quota.Part) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parts = append(r.parts, p)
}

// part is the last that was told.
func (r *replica) part() quota.Part {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.parts) == 0 {
		return quota.Part{}
	}
	return r.parts[len(r.parts)-1]
}

// ask asks for n calls of 2 units.
func (r *replica) ask(n int, done ...quota.Done) quota.Grant {
	r.t.Helper()
	g, err := r.Ask(r.t.Context(), slices.Repeat([]quota.Units{2}, n), done)
	if err != nil {
		r.t.Fatal(err)
	}
	return g
}

// after lets virtual time pass.
func after(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

// inBubble runs f with a store that is 3 ms away.
func inBubble(t *testing.T, f func(t *testing.T, store *redistest.Store)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f(t, redistest.New(t, func() time.Duration { return 3 * time.Millisecond }))
	})
}

// settled starts replicas and waits until the record grants.
func settled(t *testing.T, store *redistest.Store, names ...string) (all []*replica) {
	t.Helper()
	for _, name := range names {
		all = append(all, join(t, store, name))
	}
	after(5 * time.Second)
	for range 2 { // after the first round each is counted
		for _, r := range all {
			r.ask(1)
		}
	}
	return all
}

// throttle reports three refusals in a row, which are a run.
func (r *replica) throttle() {
	r.t.Helper()
	g := r.ask(3)
	after(max(0, g.After) + 30*time.Millisecond)
	var done []quota.Done
	for i := range 3 {
		age := 30*time.Millisecond - time.Duration(i)*5*time.Millisecond
		done = append(done, quota.Done{Result: quota.Result{Outcome: quota.Throttled}, Cost: 2, Age: age, Epoch: g.Epoch})
	}
	if err := r.Report(r.t.Context(), done); err != nil {
		r.t.Fatal(err)
	}
}
