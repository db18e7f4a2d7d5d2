package keyvault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/cenkalti/backoff/v4"
	"github.com/google/uuid"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/quota"
)

// longestHint is the longest wait that a vault may ask for. A call that would
// have to wait longer fails, and its error carries the hint.
const longestHint = time.Minute

// task is one operation with one key, repeated until it has an outcome.
type task struct {
	operation schema.Operation // getPublicKey for a Resolve; of the life of keys: none, see keeping
	id        keyID            // version may be empty
	allowed   []string         // the key's key_ops, as far as known
	class     quota.Class      // what the key costs; the zero value where it is not known yet
	vault     *vault
	call      func(ctx context.Context) error // one attempt
	keeping   *keeping                        // nil: the task uses a key, and is not of its life
}

// subject begins each message about the task.
func (t task) subject() string {
	if t.keeping != nil {
		return t.keeping.what + " " + t.id.String()
	}
	if t.operation == schema.GetPublicKey {
		return "resolve " + t.id.String()
	}
	return string(t.operation) + " with " + t.id.String()
}

// do runs t.call until it succeeds, fails for good, or the attempts or ctx
// are used up. Every error is a *signer.Error. One that stems from the end of
// ctx also wraps its error, and tells what the last attempt met.
func (c *Client) do(ctx context.Context, t task) error {
	var last *signer.Error
	waits := c.config.Retry.waits()
	turn := c.turn(t)
	for attempt := 1; ; attempt++ {
		if err := turn.enter(ctx); err != nil {
			return t.held(last, attempt-1, err)
		}
		id := uuid.NewString() // the form in which vaults log the caller's id
		err := c.attempt(ctx, t, id)
		turn.leave(err)
		if err == nil {
			return nil
		}
		if ended := ctx.Err(); ended != nil && errors.Is(err, ended) {
			return t.interrupted(last, attempt-1, ended)
		}
		last = t.translate(err, id)
		if last.Code == schema.CodeUnavailable {
			t.vault.trouble.Store(last)
		}
		if last.Code == schema.CodeIntegrity {
			c.alarm(ctx, t.id, id, last)
		}
		again, floor := c.config.Retry.decide(err, attempt, time.Now())
		if !again || t.keeping.forbids(err) {
			return last
		}
		if turn.paced(err) {
			continue
		}
		wait := floor + waits.NextBackOff()
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
			return t.interrupted(last, attempt, context.DeadlineExceeded)
		}
		c.log.LogAttrs(ctx, slog.LevelDebug, "vault call will be repeated",
			slog.String("kid", t.id.String()), slog.Int("attempt", attempt), slog.Duration("wait", wait), slog.String("code", string(last.Code)))
		if ended := pause(ctx, wait); ended != nil {
			return t.interrupted(last, attempt, ended)
		}
	}
}

// alarm logs an answer that cannot be right. It is never repeated.
func (c *Client) alarm(ctx context.Context, key keyID, requestID string, err error) {
	c.log.ErrorContext(ctx, "vault answer failed the integrity check", "kid", key.String(), "request_id", requestID, "err", err)
}

// attempt makes one call, bounded in time, that the vault logs under id. Its
// error wraps a context's error only if ctx itself has ended.
func (c *Client) attempt(ctx context.Context, t task, id string) error {
	leave, err := t.vault.enter(ctx)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, c.config.Retry.Timeout)
	defer cancel()
	err = t.guarded(policy.WithHTTPHeader(bounded, http.Header{headerClientRequest: {id}}))
	answer, _ := errors.AsType[*azcore.ResponseError](err)
	c.count(ctx, t, err)
	leave(err == nil || answer != nil)
	switch ended := ctx.Err(); {
	case err == nil || answer != nil:
		return err
	case ended != nil:
		return ended
	case bounded.Err() != nil:
		return fmt.Errorf("no answer within %s", c.config.Retry.Timeout)
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled):
		return errors.New(err.Error()) // a dial that timed out looks like a context that did
	}
	return err
}

// count counts one attempt by its outcome.
func (c *Client) count(ctx context.Context, t task, err error) {
	var code schema.Code
	if err != nil {
		code = t.translate(err, "").Code
	}
	operation := t.operation
	if t.keeping != nil {
		operation = schema.Operation(t.keeping.what)
	}
	c.counters.call(ctx, operation, t.id.name, code)
}

// guarded makes one call, and makes an error of a panic of the SDK or the
// transport. Otherwise the vault's first call, or the one question for a key,
// would never end, and all others would wait for it.
func (t task) guarded(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &signer.Error{
				Code:    schema.CodeInternal,
				Message: t.subject() + ": the vault's answer met a defect of the worker",
				Err:     fmt.Errorf("panic: %v", p),
			}
		}
	}()
	return t.call(ctx)
}

// decide says whether a failed attempt is to be followed by another, and how
// long the vault itself asked to wait. It depends on its arguments only.
func (r Retry) decide(err error, attempt int, now time.Time) (again bool, floor time.Duration) {
	if attempt >= r.Attempts || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false, 0
	}
	if _, final := errors.AsType[*signer.Error](err); final {
		return false, 0
	}
	if answer, ok := errors.AsType[*azcore.ResponseError](err); ok {
		floor = hint(answer.RawResponse, now)
		return passing(answer.StatusCode) && floor <= longestHint, floor
	}
	// No answer. What the SDK calls final is a token that was not to be had,
	// which the credential has tried hard enough itself.
	return !unauthenticated(err), 0
}

// passing reports whether a status may be another one next time.
func passing(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500
}

// unauthenticated reports whether the SDK could not get or use a token. The
// marker is the SDK's own; it hands transport errors through unmarked.
func unauthenticated(err error) bool {
	_, marked := errors.AsType[interface {
		error
		NonRetriable()
	}](err)
	return marked
}

// hint reads how long the vault asks to wait, in the order of the Azure SDKs:
// two headers in milliseconds, then Retry-After in seconds or as a date (RFC
// 9110, section 10.2.3). It returns zero when there is none.
func hint(answer *http.Response, now time.Time) time.Duration {
	if answer == nil {
		return 0
	}
	for _, name := range []string{"Retry-After-Ms", "X-Ms-Retry-After-Ms"} {
		if d := span(answer.Header.Get(name), time.Millisecond); d > 0 {
			return d
		}
	}
	text := answer.Header.Get("Retry-After")
	if date, err := http.ParseTime(text); err == nil {
		return max(0, date.Sub(now))
	}
	return span(text, time.Second)
}

// span reads a whole number of units, at most a day, and zero for anything
// that is none.
func span(text string, unit time.Duration) time.Duration {
	n, err := strconv.ParseUint(text, 10, 63)
	if errors.Is(err, strconv.ErrRange) {
		return 24 * time.Hour
	}
	if err != nil {
		return 0
	}
	return time.Duration(min(n, uint64(24*time.Hour/unit))) * unit
}

// waits returns the sequence of waits of one task.
func (r Retry) waits() *backoff.ExponentialBackOff {
	// The library draws between zero and twice its interval.
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(r.Base/2), backoff.WithMaxInterval(r.Cap/2),
		backoff.WithMultiplier(2), backoff.WithRandomizationFactor(1), backoff.WithMaxElapsedTime(0))
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
