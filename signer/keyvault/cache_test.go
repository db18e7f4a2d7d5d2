package keyvault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// resolves makes n calls at the same time and returns their errors.
func resolves(t *testing.T, c *Client, ref signer.Ref, n int) []error {
	t.Helper()
	errs := make([]error, n)
	var callers sync.WaitGroup
	for i := range n {
		callers.Go(func() { _, errs[i] = c.Resolve(t.Context(), ref) })
	}
	callers.Wait()
	return errs
}

// asked fails unless exactly n requests reached the vault since the last look.
func asked(t *testing.T, when string, vault *stub, n int64) {
	t.Helper()
	if got := vault.calls.Swap(0); got != n {
		t.Errorf("%s: %d requests, want %d", when, got, n)
	}
}

func TestManyCallersOneQuestion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := newStub(t, nil)
		c := clientOf(t, vault, nil)
		for _, err := range resolves(t, c, someRef(), 64) {
			if err != nil {
				t.Error(err)
			}
		}
		asked(t, "64 callers", vault, 1)
		versioned := someRef()
		versioned.Version = "0123456789ABCDEF0123456789abcdef"
		key, err := c.Resolve(t.Context(), versioned)
		if err != nil || key.KID != someKID {
			t.Errorf("Resolve = %+v, %v", key, err)
		}
		asked(t, "the version that was the latest", vault, 0)
	})
}

// TestAnswersAge: the latest version and a version's attributes each have
// their own time, which is never exceeded and at most a quarter shorter.
func TestAnswersAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := newStub(t, nil)
		c := clientOf(t, vault, func(config *Config) { config.CacheFor, config.LatestFor = 40*time.Minute, 4*time.Minute })
		versioned := someRef()
		versioned.Version = someKID[len(someKID)-32:]
		resolve := func(when string, ref signer.Ref, want int64) {
			t.Helper()
			if _, err := c.Resolve(t.Context(), ref); err != nil {
				t.Error(err)
			}
			asked(t, when, vault, want)
		}
		resolve("first", someRef(), 1)
		elapse(t, 3*time.Minute-latency)
		resolve("latest, still young", someRef(), 0)
		elapse(t, time.Minute+latency)
		resolve("latest, old", someRef(), 1)
		elapse(t, 30*time.Minute-latency)
		resolve("version, still young", versioned, 0)
		elapse(t, 10*time.Minute+latency)
		resolve("version, old", versioned, 1)
	})
}

// elapse lets virtual time pass.
func elapse(t *testing.T, d time.Duration) {
	t.Helper()
	if err := pause(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

// TestCancelledAskerFailsNobodyElse: the caller that asks gives up, and the
// next one takes over.
func TestCancelledAskerFailsNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := newStub(t, nil)
		c := clientOf(t, vault, nil)
		ctx, cancel := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		callers.Go(func() {
			if _, err := c.Resolve(ctx, someRef()); !errors.Is(err, context.Canceled) || !signer.AsError(err).Retryable() {
				t.Errorf("the cancelled caller got %v", err)
			}
		})
		synctest.Wait() // the first is asking
		callers.Go(func() {
			for _, err := range resolves(t, c, someRef(), 8) {
				if err != nil {
					t.Errorf("another caller got %v", err)
				}
			}
		})
		synctest.Wait() // the others wait
		cancel()
		callers.Wait()
		asked(t, "cancelled and taken over", vault, 2)
	})
}

func TestWaitingCallerMayLeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := newStub(t, nil)
		c := clientOf(t, vault, nil)
		var callers sync.WaitGroup
		callers.Go(func() {
			if _, err := c.Resolve(t.Context(), someRef()); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), latency/2)
		defer cancel()
		start := time.Now()
		_, err := c.Resolve(ctx, someRef())
		if !errors.Is(err, context.DeadlineExceeded) || !signer.AsError(err).Retryable() || time.Since(start) != latency/2 {
			t.Errorf("Resolve = %v after %s", err, time.Since(start))
		}
		callers.Wait()
	})
}

// TestFailureIsShared: callers that waited for a failure do not each repeat
// the whole series of attempts, and the next caller may try again.
func TestFailureIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := newStub(t, func(int64, *http.Request) (*http.Response, error) { return status(429), nil })
		c := clientOf(t, vault, func(config *Config) { config.Retry.Attempts = 3 })
		for range 2 {
			for _, err := range resolves(t, c, someRef(), 16) {
				wantCode(t, "shared failure", err, schema.CodeThrottled)
			}
			asked(t, "16 callers", vault, 3)
		}
	})
}

func TestRefusalsAreRememberedBriefly(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]schema.Code{403: schema.CodeForbidden, 404: schema.CodeKeyNotFound} {
		synctest.Test(t, func(t *testing.T) {
			refuses := true
			vault := newStub(t, func(int64, *http.Request) (*http.Response, error) {
				if refuses {
					return status(code), nil
				}
				return nil, nil
			})
			c := clientOf(t, vault, nil)
			for range 3 {
				_, err := c.Resolve(t.Context(), someRef())
				wantCode(t, "refused", err, want)
			}
			asked(t, "refused thrice", vault, 1)
			refuses = false
			elapse(t, 10*time.Second)
			if _, err := c.Resolve(t.Context(), someRef()); err != nil {
				t.Error(err)
			}
			asked(t, "granted", vault, 1)
		})
	}
}

// TestRefusedSignCastsDoubt: after a 403 the attributes are asked for again,
// but not again and again.
func TestRefusedSignCastsDoubt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := newStub(t, func(_ int64, req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodPost {
				return refusal(403, "Forbidden", "KeyDisabled"), nil
			}
			return nil, nil
		})
		c := clientOf(t, vault, nil)
		key, err := c.Resolve(t.Context(), someRef())
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, "disabled", signOnce(t, c, key), schema.CodeKeyUnusable)
		resolves(t, c, someRef(), 4)
		asked(t, "refused right after the answer", vault, 2)
		elapse(t, 10*time.Second)
		wantCode(t, "disabled", signOnce(t, c, key), schema.CodeKeyUnusable)
		resolves(t, c, someRef(), 4)
		asked(t, "refused later", vault, 2)
	})
}

// TestPublicKeyNeverChanges: another public key under a known version is a
// forgery, or a proxy that answers for the wrong vault.
func TestPublicKeyNeverChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault, other := newStub(t, nil), newStub(t, nil)
		c := clientOf(t, vault, nil)
		if _, err := c.Resolve(t.Context(), someRef()); err != nil {
			t.Fatal(err)
		}
		vault.private = other.private
		elapse(t, time.Hour)
		key, err := c.Resolve(t.Context(), someRef())
		wantCode(t, "another public key", err, schema.CodeIntegrity)
		if key.Public != nil {
			t.Errorf("Resolve = %+v with an error", key)
		}
	})
}

// TestKeysAreTheCallersOwn: what one caller does to a Key reaches no other.
func TestKeysAreTheCallersOwn(t *testing.T) {
	t.Parallel()
	c := newCache(Config{}.filled())
	id := someID(t)
	f, _ := c.board(id, time.Now())
	f.key = signer.Key{KID: someKID, Operations: []string{"sign"}}
	c.land(id, f, time.Now(), false)
	again, leads := c.board(id, time.Now())
	key, _ := shared(again)
	key.Operations[0] = "verify"
	if other, _ := shared(again); leads || other.Operations[0] != "sign" {
		t.Errorf("operations are %v for the next caller, who leads: %t", other.Operations, leads)
	}
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := newCache(Config{}.filled())
	now := time.Now()
	id := someID(t)
	for i := range maxSlots + 100 {
		id.name = fmt.Sprintf("key-%d", i)
		f, leads := c.board(id, now)
		if !leads {
			t.Fatalf("%s is known", id)
		}
		c.land(id, f, now.Add(time.Duration(i)*time.Hour), true)
	}
	if len(c.slots) != maxSlots {
		t.Errorf("%d slots, want %d", len(c.slots), maxSlots)
	}
	if c.slots[id] == nil {
		t.Error("the newest entry was dropped")
	}
	id.name = "key-0"
	if c.slots[id] != nil {
		t.Error("the oldest entry was kept")
	}
}
