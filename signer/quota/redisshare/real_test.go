package redisshare_test

import (
	"context"
	"net/url"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/signer/quota/redisshare"
)

// realStore is the address of a store that tests may write to:
//
//	redis-server --port 7379 --save ''
//	SIGNMILL_TEST_REDIS_URL=redis://localhost:7379 go test ./signer/quota/redisshare
//
// or, in one, `make redis-test`.
func realStore(t testing.TB) (address, text string) {
	t.Helper()
	text = os.Getenv("SIGNMILL_TEST_REDIS_URL")
	if text == "" {
		t.Skip("SIGNMILL_TEST_REDIS_URL is not set")
	}
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host, text
}

// real starts replicas at a real store behind a proxy.
func real(t *testing.T, n int) (*proxy, *redis.Client, []*replica) {
	t.Helper()
	address, text := realStore(t)
	direct := redis.NewClient(&redis.Options{Addr: address})
	t.Cleanup(func() { _ = direct.Close() })
	vault := t.Name()
	forget := func() { forgetVault(t, direct, vault) }
	forget()
	t.Cleanup(forget)
	p := newProxy(t, address, 3*time.Millisecond)
	var all []*replica
	for range n {
		share, err := redisshare.New(redisshare.Config{URL: text, Vault: vault, Guard: 1, Dial: p.dial})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, start(t, share))
	}
	return p, direct, all
}

func forgetVault(t *testing.T, c *redis.Client, vault string) {
	name := "signmill:quota:{" + vault + "}"
	if err := c.Del(context.Background(), name, name+":seen", name+":sends", name+":accepts").Err(); err != nil {
		t.Error(err)
	}
}

// until waits for a condition.
func until(t testing.TB, what string, within time.Duration, ok func() bool) {
	t.Helper()
	for start := time.Now(); !ok(); after(10 * time.Millisecond) {
		if time.Since(start) > within {
			t.Fatalf("%s: not within %s", what, within)
		}
	}
}

func slotted(all []*replica, want bool) func() bool {
	return func() bool {
		return !slices.ContainsFunc(all, func(r *replica) bool { return (r.part().Slots != nil) != want })
	}
}

// pull uses all that replicas get for a time, and returns units per second.
func pull(all []*replica, d time.Duration) float64 {
	var workers sync.WaitGroup
	units := make([]quota.Units, len(all))
	for i, r := range all {
		workers.Go(func() {
			for start := time.Now(); time.Since(start) < d; {
				g, err := r.Ask(r.t.Context(), slices.Repeat([]quota.Units{2}, 200), nil)
				if err != nil || g.Units == 0 {
					after(max(g.Again, 50*time.Millisecond))
					continue
				}
				units[i] += g.Units
				after(g.After + time.Duration(float64(g.Units)/g.Rate*0.7*1e9))
			}
		})
	}
	workers.Wait()
	sum := quota.Units(0)
	for _, u := range units {
		sum += u
	}
	return float64(sum) / d.Seconds()
}

func TestRealStore(t *testing.T) {
	p, direct, all := real(t, 4)
	until(t, "slots at the start", time.Second, slotted(all, true))
	until(t, "the end of the silence", 6*time.Second, func() bool { return all[0].ask(1).Units > 0 })
	if rate := pull(all, 3*time.Second); rate < 380 || rate > 450 {
		t.Errorf("four replicas get %.0f units per second, want 400", rate)
	}
	if n := all[0].part().Replicas; n != 4 {
		t.Errorf("%d replicas, want 4", n)
	}

	t.Log("a push")
	epoch := all[3].part().Epoch
	all[0].throttle()
	until(t, "the push of an epoch", 100*time.Millisecond, func() bool { return all[3].part().Epoch == epoch+1 })

	t.Log("a restart without data")
	p.setDown(true)
	until(t, "the loss", time.Second, slotted(all, false))
	direct.ScriptFlush(context.Background())
	forgetVault(t, direct, t.Name())
	p.setDown(false)
	until(t, "the return", 4*time.Second, slotted(all, true))
	if rate := pull(all, 3*time.Second); rate < 360 || rate > 450 {
		t.Errorf("after a restart four replicas get %.0f units per second, want 400", rate)
	}

	t.Log("a partition")
	p.partition(true)
	until(t, "the loss", 3*time.Second, slotted(all, false))
	if part := all[1].part(); part.Replicas != 4 || part.Scale == 0 {
		t.Errorf("cut off, the part is %+v", part)
	}
	p.partition(false)
	until(t, "the return", 6*time.Second, slotted(all, true))
}
