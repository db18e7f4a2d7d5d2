package signertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Run states the contract of signer.Keys as tests. It calls open once for each
// group; open may skip, and registers what must be closed with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	groups := map[string]func(*testing.T, Harness){
		"every operation":  everyOperation,
		"input limits":     inputLimits,
		"many rounds":      manyRounds,
		"damaged input":    damagedInput,
		"silent secrets":   silentSecrets,
		"versions":         versions,
		"limited keys":     limitedKeys,
		"unusable keys":    unusableKeys,
		"unknown keys":     unknownKeys,
		"disabled later":   disabledLater,
		"forbidden":        forbidden,
		"ended contexts":   endedContexts,
		"cancel in flight": cancelInFlight,
		"concurrent use":   concurrentUse,
	}
	for name, group := range groups {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			group(t, open(t))
		})
	}
}

// versions shows that a Key stays what it was when the key is rotated.
func versions(t *testing.T, h Harness) {
	first := h.Create(t, KeySpec{Curve: "P-256"})
	old := h.resolve(t, first)
	second := h.Create(t, KeySpec{Name: first.Name, Curve: "P-256"})
	if second.Name != first.Name || second.Version == first.Version {
		t.Fatalf("Create made %+v after %+v, want another version", second, first)
	}
	latest := h.resolve(t, signer.Ref{Vault: first.Vault, Name: first.Name})
	fresh := h.resolve(t, second)
	if latest.KID != fresh.KID || old.KID == fresh.KID {
		t.Errorf("the latest version is %s; want %s", latest.KID, fresh.KID)
	}
	for key, ref := range map[*signer.Key]signer.Ref{&old: first, &latest: second} {
		if want := "/keys/" + ref.Name + "/" + ref.Version; !strings.HasSuffix(key.KID, want) {
			t.Errorf("KID is %s, want %s at its end", key.KID, want)
		}
		h.signs(t, hello(*key))
	}
	digest := digestOf(schema.ES256, "hello")
	if err := judge(latest.Public, schema.ES256, digest, h.signs(t, hello(old))); err == nil {
		t.Error("the new public key verifies what the old version signed")
	}
}

// unusableKeys meets the refusal wherever it comes, in Resolve or in Sign.
func unusableKeys(t *testing.T, h Harness) {
	hour := time.Now().Add(time.Hour)
	specs := map[string]KeySpec{
		"disabled":      {Curve: "P-256", Disabled: true},
		"not yet valid": {Curve: "P-256", NotBefore: hour},
		"expired":       {Curve: "P-256", Expires: time.Now().Add(-time.Hour)},
		"no operation":  {Curve: "P-256", Operations: []string{"verify"}},
	}
	for name, spec := range specs {
		t.Run(name, func(t *testing.T) {
			ref, want := h.Create(t, spec), schema.CodeKeyUnusable
			key, err := h.Keys.Resolve(t.Context(), ref)
			if spec.Disabled {
				want = h.otherwise(SilentDisabled, schema.CodeForbidden, h.otherwise(FailingDisabled, schema.CodeKeyNotFound, want))
			}
			if err != nil {
				wantCode(t, err, want)
				return
			}
			h.refuses(t, hello(key), want)
		})
	}
	t.Run("within its dates", func(t *testing.T) {
		key := h.resolve(t, h.Create(t, KeySpec{Curve: "P-256", NotBefore: time.Now().Add(-time.Hour), Expires: hour}))
		if !key.Expires.Equal(hour.Truncate(time.Second)) {
			t.Errorf("Expires is %s, want %s", key.Expires, hour)
		}
		h.signs(t, hello(key))
	})
}

func unknownKeys(t *testing.T, h Harness) {
	ref := h.Create(t, KeySpec{Curve: "P-256"})
	noVersion, noName := ref, ref
	noVersion.Version = strings.Repeat("0", 31) + "1"
	noName.Name, noName.Version = "no-such-key", ""
	for _, ref := range []signer.Ref{noVersion, noName, {}} {
		key, err := h.Keys.Resolve(t.Context(), ref)
		if key.Public != nil {
			t.Errorf("Resolve(%+v) = %+v", ref, key)
		}
		wantCode(t, err, schema.CodeKeyNotFound)
	}
	key := h.resolve(t, ref)
	key.KID = strings.Replace(key.KID, ref.Version, noVersion.Version, 1)
	h.refuses(t, hello(key), schema.CodeKeyNotFound)
}

// disabledLater signs with a Key that was resolved before it was disabled.
func disabledLater(t *testing.T, h Harness) {
	if h.Disable == nil {
		t.Skip("the harness cannot disable a key")
	}
	ref := h.Create(t, KeySpec{Curve: "P-256"})
	key := h.resolve(t, ref)
	h.Disable(t, ref)
	want := h.otherwise(SilentDisabled, schema.CodeForbidden, schema.CodeKeyUnusable)
	h.refuses(t, hello(key), h.otherwise(FailingDisabled, schema.CodeUnavailable, want))
}

// forbidden meets the refusal wherever it comes, in Resolve or in Sign.
func forbidden(t *testing.T, h Harness) {
	if h.Forbidden == (signer.Ref{}) {
		t.Skip("the harness has no forbidden key")
	}
	key, err := h.Keys.Resolve(t.Context(), h.Forbidden)
	if err == nil {
		_, err = h.Keys.Sign(t.Context(), key, schema.ES256, digestOf(schema.ES256, "hello"))
	}
	wantCode(t, err, schema.CodeForbidden)
}

func endedContexts(t *testing.T, h Harness) {
	ref := h.Create(t, KeySpec{Curve: "P-256"})
	key := h.resolve(t, ref)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for _, ctx := range []context.Context{cancelled, late} {
		sig, err := h.Keys.Sign(ctx, key, schema.ES256, digestOf(schema.ES256, "hello"))
		if sig != nil || !errors.Is(err, ctx.Err()) || !signer.AsError(err).Retryable() {
			t.Errorf("Sign = %x, %v; want a retryable error that wraps %v", sig, err, ctx.Err())
		}
	}
	h.signs(t, hello(key))
}

// cancelInFlight cancels many calls after the first has succeeded: each ends
// soon, in a good signature or in an error that wraps the cancellation.
func cancelInFlight(t *testing.T, h Harness) {
	key := h.resolve(t, h.Create(t, KeySpec{Curve: "P-256"}))
	digest := digestOf(schema.ES256, "hello")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var callers sync.WaitGroup
	for range 32 {
		callers.Go(func() {
			for ctx.Err() == nil {
				sig, err := h.Keys.Sign(ctx, key, schema.ES256, digest)
				switch {
				case err == nil && judge(key.Public, schema.ES256, digest, sig) != nil:
					t.Errorf("Sign = %x, which does not verify", sig)
				case err != nil && (sig != nil || !errors.Is(err, context.Canceled)):
					t.Errorf("Sign = %x, %v; want an error that wraps the cancellation", sig, err)
				}
				cancel()
			}
		})
	}
	callers.Wait()
}

func concurrentUse(t *testing.T, h Harness) {
	refs := []signer.Ref{h.Create(t, KeySpec{Curve: "P-256"}), h.Create(t, KeySpec{Curve: "P-256"})}
	var callers sync.WaitGroup
	for i := range 32 {
		callers.Go(func() {
			key, err := h.Keys.Resolve(t.Context(), refs[i%len(refs)])
			if err != nil {
				t.Error(err)
				return
			}
			for range 4 {
				h.signs(t, request{key, schema.ES256, digestOf(schema.ES256, key.KID+fmt.Sprint(i))})
			}
		})
	}
	callers.Wait()
}
