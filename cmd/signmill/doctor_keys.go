package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/worker/policy"
)

// keys looks at every key that is allowed.
func (v *visit) keys(ctx context.Context, reached map[string]bool) {
	f := v.post.rules.now.Load()
	for _, alias := range slices.Sorted(maps.Keys(f.Keys)) {
		if !reached[f.Keys[alias].Vault] {
			v.note("read", "key "+alias, skip("the vault cannot be asked"))
			continue
		}
		v.key(ctx, alias, f.Keys[alias])
	}
}

// key reads a key, looks at its state, and asks for each operation.
func (v *visit) key(ctx context.Context, alias string, k policy.Key) {
	subject := "key " + alias
	var key signer.Key
	read := v.try(ctx, "read", subject, func(ctx context.Context) (found verdict) {
		key, found = v.readKey(ctx, v.post.rules.now.Load().Ref(k))
		return found
	})
	if !read || key.KID == "" {
		return
	}
	v.note("state", subject, keyState(key, k.Operations, time.Now()))
	fits := false
	for _, operation := range k.Operations {
		if fitsSome(key, operation) {
			fits = true
			v.try(ctx, string(operation), subject, func(ctx context.Context) verdict { return v.operation(ctx, key, operation) })
		}
	}
	if !fits {
		v.note("operations", subject, ill("no allowed operation fits this type of key", "allow one with --allow-operation, or another key with --allow-key"))
	}
}

// readKey asks for the key itself, and returns none when no call is left.
func (v *visit) readKey(ctx context.Context, ref signer.Ref) (signer.Key, verdict) {
	if v.calls == 0 {
		return signer.Key{}, v.spent()
	}
	v.calls--
	key, err := v.vault.Resolve(ctx, ref)
	if err != nil {
		return signer.Key{}, refused(err)
	}
	return key, well("%s", key.KID)
}

// spent is the verdict on what would cost the vault too much.
func (v *visit) spent() verdict {
	return skip("not tried: doctor makes at most %d calls to a vault; give it fewer keys or operations at a time", mostCalls)
}

// refused is the verdict that a vault's refusal means. That others use up its
// quota at the moment says nothing about this deployment.
func refused(err error) verdict {
	e := signer.AsError(err)
	detail, cure := remedy(e.Message)
	if e.Code == schema.CodeThrottled {
		return warn(detail, cure+"; then run doctor again")
	}
	if e.Retryable() && e.Err != nil {
		detail += " (" + display.Cut(e.Err.Error(), 300) + ")"
	}
	return ill(detail, cure)
}

// soon is how long before its end a key is worth a warning.
const soon = 30 * 24 * time.Hour

// keyState looks at what people may change: enabled and the dates. Dates bind
// only operations that make something new.
func keyState(key signer.Key, operations []schema.Operation, now time.Time) verdict {
	bare := key
	bare.Operations = nil // each operation looks at its own
	if err := signer.Usable(bare, schema.Decrypt, now); err != nil {
		return refused(err)
	}
	if err := signer.Usable(bare, schema.Sign, now); err != nil {
		found := refused(err)
		if !slices.ContainsFunc(operations, dated) {
			found.result = resultWarning
		}
		return found
	}
	if key.Expires.IsZero() {
		return well("enabled, never expires")
	}
	left := key.Expires.Sub(now)
	text := fmt.Sprintf("enabled, expires in %d days, at %s", int(left/(24*time.Hour)), display.Time(key.Expires))
	if left < soon {
		return warn(text, "make a new version in time with: az keyvault key rotate --id "+key.KID)
	}
	return well("%s", text)
}

// dated reports whether the dates of a key bind an operation.
func dated(o schema.Operation) bool {
	return o == schema.Sign || o == schema.Encrypt || o == schema.WrapKey
}

// operation finds out whether an operation is possible and allowed, without
// doing it.
func (v *visit) operation(ctx context.Context, key signer.Key, o schema.Operation) verdict {
	bare := key
	if dated(o) {
		bare.NotBefore, bare.Expires = time.Time{}, time.Time{} // the state has told
	}
	if err := signer.Usable(bare, o, time.Now()); err != nil {
		return refused(err)
	}
	switch {
	case !keyvault.Asks(key, o):
		return well("done by the worker itself, with the public key")
	case dated(o) && signer.Usable(key, o, time.Now()) != nil:
		return skip("the key's state stands in the way")
	case v.calls == 0:
		return v.spent()
	}
	v.calls--
	if err := v.vault.Allowed(ctx, key, o); err != nil {
		return refused(err)
	}
	return well("allowed")
}
