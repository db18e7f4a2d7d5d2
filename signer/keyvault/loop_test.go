package keyvault

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// TestOneLayerRetries counts what goes over the wire: as many requests as
// this package decided on, and none of the SDK's own.
func TestOneLayerRetries(t *testing.T) {
	t.Parallel()
	for _, attempts := range []int{1, 5} {
		for name, failure := range map[string]func(int64, *http.Request) (*http.Response, error){
			"429":  func(int64, *http.Request) (*http.Response, error) { return status(429), nil },
			"503":  func(int64, *http.Request) (*http.Response, error) { return status(503), nil },
			"drop": func(int64, *http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
		} {
			synctest.Test(t, func(t *testing.T) {
				vault := newStub(t, failure)
				err := signOnce(t, clientOf(t, vault, func(c *Config) { c.Retry.Attempts = attempts }), vault.key())
				if got := vault.calls.Load(); got != int64(attempts) || err == nil {
					t.Errorf("%s with %d attempts: %d requests, %v", name, attempts, got, err)
				}
				if errors.Is(err, context.DeadlineExceeded) || !signer.AsError(err).Retryable() {
					t.Errorf("%s: %v, want a retryable error that blames no context", name, err)
				}
			})
		}
	}
}

func TestRefusalsAreNotRepeated(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]schema.Code{
		400: schema.CodeVaultRejected, 401: schema.CodeForbidden, 403: schema.CodeForbidden,
		404: schema.CodeKeyNotFound, 409: schema.CodeVaultRejected,
	} {
		synctest.Test(t, func(t *testing.T) {
			vault := newStub(t, func(int64, *http.Request) (*http.Response, error) { return status(code), nil })
			wantCode(t, http.StatusText(code), signOnce(t, clientOf(t, vault, nil), vault.key()), want)
			if got := vault.calls.Load(); got != 1 {
				t.Errorf("%d: %d requests, want 1", code, got)
			}
		})
	}
}

func TestPassingFailuresAreOutlived(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := newStub(t, func(n int64, _ *http.Request) (*http.Response, error) {
			switch n {
			case 1:
				return status(429), nil
			case 2:
				return nil, io.ErrUnexpectedEOF
			case 3:
				return status(503), nil
			}
			return nil, nil
		})
		start := time.Now()
		if err := signOnce(t, clientOf(t, vault, nil), vault.key()); err != nil {
			t.Error(err)
		}
		if took, most := time.Since(start), 7*time.Second+4*latency; took > most || vault.calls.Load() != 4 {
			t.Errorf("took %s and %d requests; want at most %s and 4", took, vault.calls.Load(), most)
		}
	})
}

func TestHintIsAFloor(t *testing.T) {
	t.Parallel()
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			vault := newStub(t, func(n int64, _ *http.Request) (*http.Response, error) {
				if n == 1 {
					return status(429, "Retry-After", "7"), nil
				}
				return nil, nil
			})
			start := time.Now()
			if err := signOnce(t, clientOf(t, vault, nil), vault.key()); err != nil {
				t.Error(err)
			}
			if waited := time.Since(start) - 2*latency; waited < 7*time.Second || waited > 8*time.Second+1 {
				t.Errorf("waited %s, want 7s and up to one more", waited)
			}
		})
	}
}

func TestLongHintIsHandedOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := newStub(t, func(int64, *http.Request) (*http.Response, error) { return status(429, "Retry-After", "90"), nil })
		err := signOnce(t, clientOf(t, vault, nil), vault.key())
		if e := signer.AsError(err); e.Code != schema.CodeThrottled || e.RetryAfter != 90*time.Second || vault.calls.Load() != 1 {
			t.Errorf("%v with %s after %d requests; want throttled with 90s after 1", err, e.RetryAfter, vault.calls.Load())
		}
	})
}

// TestNoWaitPastTheDeadline: a wait that cannot end in time is not begun.
func TestNoWaitPastTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := newStub(t, func(int64, *http.Request) (*http.Response, error) { return status(429, "Retry-After", "10"), nil })
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		sig, err := clientOf(t, vault, nil).Sign(ctx, vault.key(), schema.ES256, someDigest())
		e := signer.AsError(err)
		if sig != nil || e.Code != schema.CodeThrottled || e.RetryAfter != 10*time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Sign = %x, %v; want throttled, and the deadline", sig, err)
		}
		if took := time.Since(start); took != latency {
			t.Errorf("took %s, want %s", took, latency)
		}
	})
}

func TestCancelEndsAWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := newStub(t, func(int64, *http.Request) (*http.Response, error) { return status(503, "Retry-After", "10"), nil })
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		sig, err := clientOf(t, vault, nil).Sign(ctx, vault.key(), schema.ES256, someDigest())
		if sig != nil || !errors.Is(err, context.Canceled) || signer.AsError(err).Code != schema.CodeUnavailable || time.Since(start) != time.Second {
			t.Errorf("Sign = %x, %v after %s; want unavailable, and the cancellation, after 1s", sig, err, time.Since(start))
		}
	})
}

// TestDeadlineInACall remembers what the attempt before the last one met.
func TestDeadlineInACall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := newStub(t, func(n int64, req *http.Request) (*http.Response, error) {
			if n == 1 {
				return status(429, "Retry-After-Ms", "1"), nil
			}
			return nil, pause(req.Context(), time.Hour)
		})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := clientOf(t, vault, nil).Sign(ctx, vault.key(), schema.ES256, someDigest())
		if signer.AsError(err).Code != schema.CodeThrottled || !errors.Is(err, context.DeadlineExceeded) || vault.calls.Load() != 2 {
			t.Errorf("Sign = %v after %d requests; want throttled, and the deadline, after 2", err, vault.calls.Load())
		}
	})
}

// TestFirstCallGoesAlone: a fresh client asks for one token, however many
// callers it has, with and without a warm-up.
func TestFirstCallGoesAlone(t *testing.T) {
	t.Parallel()
	for _, warm := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			vault, tokens := newStub(t, nil), &issuer{}
			c, want := clientOf(t, vault, func(config *Config) { config.Credential = tokens }), int64(64)
			if warm {
				want++
				if _, err := c.Resolve(t.Context(), someRef()); err != nil {
					t.Fatal(err)
				}
			}
			start := time.Now()
			var callers sync.WaitGroup
			for range 64 {
				callers.Go(func() {
					if err := signOnce(t, c, vault.key()); err != nil {
						t.Error(err)
					}
				})
			}
			callers.Wait()
			if got := vault.calls.Load(); got != want || vault.probes.Load() != 1 || tokens.issued.Load() != 1 {
				t.Errorf("warm %t: %d requests, %d probes, %d tokens; want %d, 1 and 1", warm, got, vault.probes.Load(), tokens.issued.Load(), want)
			}
			if took, most := time.Since(start), 3*latency; took > most {
				t.Errorf("warm %t: took %s, want at most %s: only the first call goes alone", warm, took, most)
			}
		})
	}
}

// TestRequestIDs joins the vault's log with ours.
func TestRequestIDs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := map[string]bool{}
		last := ""
		vault := newStub(t, func(_ int64, req *http.Request) (*http.Response, error) {
			last = req.Header.Get("X-Ms-Client-Request-Id")
			seen[last] = true
			return status(503), nil
		})
		err := signOnce(t, clientOf(t, vault, func(c *Config) { c.Retry.Attempts = 3 }), vault.key())
		for id := range seen {
			if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
				t.Errorf("%q is not a random UUID", id)
			}
		}
		if len(seen) != 3 || !regexp.MustCompile(last).MatchString(err.Error()) {
			t.Errorf("%d ids in 3 attempts, and the error reads %q; want it to tell %s", len(seen), err, last)
		}
	})
}

// TestNoTokenInTheClear: a local vault over plain http never sees a token.
func TestNoTokenInTheClear(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := newStub(t, func(_ int64, req *http.Request) (*http.Response, error) {
			if req.Header.Get("Authorization") != "" || req.URL.Scheme != "http" {
				t.Errorf("%s %s with Authorization %q", req.Method, req.URL, req.Header.Get("Authorization"))
			}
			return status(404), nil
		})
		_, err := clientOf(t, vault, nil).Resolve(t.Context(), signer.Ref{Vault: "http://localhost:8200", Name: "invoices"})
		wantCode(t, "plain http", err, schema.CodeKeyNotFound)
		vault.calls.Store(0)
		c := clientOf(t, vault, func(config *Config) { config.Credential = nil })
		if _, err := c.Resolve(t.Context(), someRef()); signer.AsError(err).Code != schema.CodeForbidden || vault.calls.Load()+vault.probes.Load() != 0 {
			t.Errorf("without a credential: %v after %d requests; want forbidden after none", err, vault.calls.Load()+vault.probes.Load())
		}
	})
}
