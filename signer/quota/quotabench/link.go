package quotabench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// The times of the model: medians and sigmas of lognormal distributions.
const (
	oneWay      = 8 * time.Millisecond
	oneWaySigma = 0.5
	service     = 70 * time.Millisecond
	serviceWide = 0.35
	refusal     = 2 * time.Millisecond // until a refusal leaves the vault
	lateness    = time.Millisecond     // at most, of a timer in a real process
)

// Throttled is a call that the vault refused with 429.
type Throttled struct {
	After time.Duration // the vault's hint, in whole seconds; zero: none
}

// Error implements error.
func (t *Throttled) Error() string { return fmt.Sprintf("throttled, retry after %s", t.After) }

// Link is one replica's way to a vault. It is an http.RoundTripper.
type Link struct {
	vault   *Vault
	replica int

	mu     sync.Mutex // guards random
	random *rand.Rand
}

// NewLink returns the way from a replica, which gets a number for the ledger.
func NewLink(vault *Vault, replica int, seed uint64) *Link {
	return &Link{vault: vault, replica: replica, random: rand.New(rand.NewPCG(seed, uint64(replica)))}
}

// Call signs with a key, without the weight of HTTP and JSON. It returns nil,
// a *Throttled, or the error of ctx. A call that has left arrives, whatever
// becomes of ctx.
func (l *Link) Call(ctx context.Context, k Key) error {
	ok, after, err := l.travel(ctx, k.Cost)
	if err == nil && !ok {
		return &Throttled{After: after}
	}
	return err
}

// RoundTrip answers a Key Vault request: a challenge to one without a token,
// which costs no quota, a key, or a signature.
func (l *Link) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if req.Header.Get("Authorization") == "" {
		return challenge(req), pause(req.Context(), 2*l.draw(oneWay, oneWaySigma)+refusal)
	}
	ok, after, err := l.travel(req.Context(), cost(req))
	switch body, found := l.vault.answers[req.URL.Path]; {
	case err != nil:
		return nil, err
	case !ok:
		return throttled(req, after), nil
	case !found:
		return response(req, http.StatusNotFound, encode(map[string]any{"error": map[string]any{"code": "KeyNotFound"}})), nil
	default:
		return response(req, http.StatusOK, body), nil
	}
}

// travel takes a call to the vault and its answer back. The hint is zero when
// the vault gives none.
func (l *Link) travel(ctx context.Context, cost float64) (ok bool, hint time.Duration, err error) {
	if err := pause(context.WithoutCancel(ctx), l.draw(oneWay, oneWaySigma)+l.late()); err != nil {
		return false, 0, err
	}
	ok, after := l.vault.arrive(l.replica, cost)
	back := l.draw(oneWay, oneWaySigma)
	if ok {
		back += l.draw(service, serviceWide)
	} else {
		back += refusal
	}
	if l.vault.hint && !ok {
		hint = time.Duration(math.Ceil(after.Seconds())) * time.Second
	}
	return ok, hint, pause(ctx, back)
}

// draw returns a lognormal time.
func (l *Link) draw(median time.Duration, sigma float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Duration(float64(median) * math.Exp(sigma*l.random.NormFloat64()))
}

func (l *Link) late() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Duration(l.random.Int64N(int64(lateness)))
}

func challenge(req *http.Request) *http.Response {
	resp := response(req, http.StatusUnauthorized, nil)
	resp.Header.Set("WWW-Authenticate", `Bearer authorization="https://login.example.org/tenant", resource="https://vault.azure.net"`)
	return resp
}

func throttled(req *http.Request, hint time.Duration) *http.Response {
	resp := response(req, http.StatusTooManyRequests, []byte(`{"error":{"code":"Throttled","message":"Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached"}}`))
	if hint > 0 {
		resp.Header.Set("Retry-After", strconv.Itoa(int(hint/time.Second)))
	}
	return resp
}

func response(req *http.Request, status int, body []byte) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Request: req,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// pause waits for d, or returns the error of ctx when that ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
