package keyvault

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Check refuses a reference that [Client.Resolve] would refuse without asking:
// a host that gets no token, or what cannot be a key's name or version.
func (c *Client) Check(ref signer.Ref) error {
	_, err := c.gate.ref(ref)
	return err
}

// Resolve returns the version of ref to use from now on. The answer may come
// from the cache; see [Config] for how old it may be. However many callers
// wait for one key, one of them asks the vault; when that one's context ends,
// the next takes over.
//
// Besides the contract's codes it fails with CodeKeyUnusable when the version
// is disabled, with CodeAlgorithmNotFitting for a key that no algorithm fits,
// and with CodeIntegrity when the vault's answer cannot be right.
func (c *Client) Resolve(ctx context.Context, ref signer.Ref) (signer.Key, error) {
	id, err := c.gate.ref(ref)
	if err != nil {
		return signer.Key{}, err
	}
	for {
		f, leads := c.keys.board(id, time.Now())
		if leads {
			f.key, f.err = c.fetch(ctx, id)
			f.alone = errors.Is(f.err, context.Canceled) || errors.Is(f.err, context.DeadlineExceeded)
			c.keys.land(id, f, time.Now(), lasting(f.err))
			return shared(f)
		}
		select {
		case <-f.done:
			if !f.alone {
				c.counters.save(ctx, schema.GetPublicKey)
				return shared(f)
			}
		case <-ctx.Done():
			return signer.Key{}, task{operation: schema.GetPublicKey, id: id}.interrupted(nil, 0, ctx.Err())
		}
	}
}

// shared returns a flight's outcome as a value of the caller's own.
func shared(f *flight) (signer.Key, error) {
	key := f.key
	key.Operations = slices.Clone(key.Operations)
	return key, f.err
}

// lasting reports whether a refusal will be the same a moment later.
func lasting(err error) bool {
	e, ok := errors.AsType[*signer.Error](err)
	return ok && !e.Retryable() && e.Code != schema.CodeIntegrity
}

// fetch asks the vault for one key. One that was known before costs what it cost
// then, and another what the dearest does.
func (c *Client) fetch(ctx context.Context, id keyID) (key signer.Key, err error) {
	v, err := c.vault(id.vault)
	if err != nil {
		return key, &signer.Error{Code: schema.CodeForbidden, Message: "resolve " + id.String(), Err: err}
	}
	known := classOf(c.keys.known(id))
	return key, c.do(ctx, task{operation: schema.GetPublicKey, id: id, class: known, vault: v, call: func(ctx context.Context) error {
		answer, err := v.GetKey(ctx, id.name, id.version, nil)
		if err == nil {
			key, err = c.readKey(id, answer.KeyBundle)
		}
		return err
	}})
}

// cutLast splits a path at its last slash.
func cutLast(path string) (before, after string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}
