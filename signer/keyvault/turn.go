package keyvault

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/quota"
)

// turn is a task's way to the vault: past the breakers, which let one call try
// while there is no answer, and through the gate, which knows the budget.
type turn struct {
	breakers [2]*quota.Breaker // of the key and of the vault; nil: there is none
	gate     *quota.Gate       // nil: calls are not paced
	cost     quota.Units
	pass     quota.Pass   // of the last attempt
	paid     bool         // there was an attempt
	tries    [2]quota.Try // of the attempt under way
}

// turn prepares the way of a task. The life of keys has no budget here: people
// look after it, a key at a time.
func (c *Client) turn(t task) (way turn) {
	if t.keeping != nil {
		return way
	}
	way.breakers = [2]*quota.Breaker{t.vault.breakerOf(t.id), &t.vault.breaker}
	if c.config.Gate != nil {
		at := t.id.vault.String()
		way.gate, way.cost = c.config.Gate(at, t.class), c.costs(at).Of(t.class)
	}
	return way
}

// costs returns the price list of a vault.
func (c *Client) costs(vault string) quota.Costs {
	if c.config.Costs == nil {
		return nil
	}
	return c.config.Costs(vault)
}

// enter waits until the next attempt may be sent. It fails when ctx ends, or
// at once when ctx would end before.
func (w *turn) enter(ctx context.Context) error {
	w.tries = [2]quota.Try{}
	err := w.try(ctx)
	if err == nil {
		err = w.pay(ctx)
	}
	if err != nil {
		w.abandon()
	}
	return err
}

// try waits for the breakers. The key's comes first: what waits there keeps the
// one try at the vault from no other key.
func (w *turn) try(ctx context.Context) (err error) {
	for i, b := range w.breakers {
		if b == nil {
			continue
		}
		if w.tries[i], err = outwait(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// pay waits for the turn at the gate. The breakers come before it, so that
// nothing is paid for while the vault is down.
func (w *turn) pay(ctx context.Context) (err error) {
	switch {
	case w.gate == nil:
	case w.paid:
		w.pass, err = w.pass.Again(ctx)
	default:
		w.pass, err = w.gate.Enter(ctx, w.cost)
		w.paid = err == nil
	}
	return err
}

// abandon gives the tries of an attempt back that says nothing of the vault.
func (w *turn) abandon() {
	for _, t := range w.tries {
		t.Abandon()
	}
}

// outwait waits until a breaker lets a call try. It does not fail at once while
// the vault is down: a job that is given back has lost an attempt. A wait that
// ctx would not outlive fails now, with what ctx would say in the end.
func outwait(ctx context.Context, b *quota.Breaker) (quota.Try, error) {
	for {
		try, err := b.Enter()
		if err == nil {
			return try, nil
		}
		open, _ := errors.AsType[*quota.WaitError](err)
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < open.Wait {
			return quota.Try{}, fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
		}
		waited := quota.TellWaits(ctx)
		err = pause(ctx, open.Wait)
		waited()
		if err != nil {
			return quota.Try{}, err
		}
	}
}

// leave tells gate and breakers how the attempt ended.
func (w *turn) leave(err error) {
	answer, _ := errors.AsType[*azcore.ResponseError](err)
	w.pass.Leave(outcome(err, answer))
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		w.abandon()
		return
	}
	for _, t := range w.tries {
		t.Leave(err == nil || answer == nil && decided(err) || answer != nil && answer.StatusCode < http.StatusInternalServerError)
	}
}

// decided reports whether err was decided here after an answer.
func decided(err error) bool {
	_, ours := errors.AsType[*signer.Error](err)
	return ours
}

// outcome is the end of an attempt for the quota.
func outcome(err error, answer *azcore.ResponseError) quota.Result {
	switch {
	case err == nil, answer == nil && decided(err):
		return quota.Result{Outcome: quota.Accepted}
	case answer == nil:
		return quota.Result{Outcome: quota.Failed}
	case answer.StatusCode == http.StatusTooManyRequests:
		return quota.Result{Outcome: quota.Throttled, RetryAfter: hint(answer.RawResponse, time.Now())}
	case passing(answer.StatusCode):
		return quota.Result{Outcome: quota.Failed}
	}
	return quota.Result{Outcome: quota.Accepted}
}

// paced reports whether the gate decides when a failed attempt is followed by
// another, so that no wait of ours comes on top.
func (w *turn) paced(err error) bool {
	answer, ok := errors.AsType[*azcore.ResponseError](err)
	return w.gate != nil && ok && answer.StatusCode == http.StatusTooManyRequests
}

// held is the failure of a task that got no turn.
func (t task) held(last *signer.Error, attempts int, err error) *signer.Error {
	wait, ok := errors.AsType[*quota.WaitError](err)
	switch {
	case errors.Is(err, quota.ErrOpen):
		if trouble := t.vault.trouble.Load(); trouble != nil {
			err = fmt.Errorf("%w, and before: %w", err, trouble)
		}
		return &signer.Error{Code: schema.CodeUnavailable, Message: t.subject() + ": the vault has not answered for a while, and is tried again soon", RetryAfter: wait.Wait, Err: err}
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return t.interrupted(last, attempts, err)
	case ok:
		return &signer.Error{Code: schema.CodeThrottled, Message: t.subject() + ": the vault's quota does not allow it in time", RetryAfter: wait.Wait, Err: err}
	}
	return &signer.Error{Code: schema.CodeThrottled, Message: t.subject() + ": too much waits for the vault's quota", Err: err}
}

// classOf tells what a key costs.
func classOf(key signer.Key) quota.Class {
	class := quota.Class{HSM: key.HSM}
	switch public := key.Public.(type) {
	case *rsa.PublicKey:
		class.Type, class.Bits = quota.RSA, public.N.BitLen()
	case *ecdsa.PublicKey:
		class.Type, class.Curve = quota.EC, public.Params().Name
	case *secp256k1.PublicKey:
		class.Type, class.Curve = quota.EC, "P-256K"
	}
	if key.Symmetric {
		class.Type = quota.Oct
	}
	return class
}
