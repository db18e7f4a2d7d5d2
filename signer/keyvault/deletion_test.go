package keyvault

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/schema"
)

// grave is a vault that takes the request with method at once, and shows the
// key where it is then to be found only after a while.
func grave(t testing.TB, ready time.Duration, method string) *stub {
	vault, begun := newStub(t, nil), time.Now()
	vault.script = func(_ int64, req *http.Request) (*http.Response, error) {
		if req.Method != method && time.Since(begun) < ready {
			return status(404), nil
		}
		return answer200(vault.bundle()), nil
	}
	return vault
}

// TestLongOperationsAreAwaited: delete and recover return when the vault
// shows what it was asked for.
func TestLongOperationsAreAwaited(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		method string
		call   func(context.Context, *Vault) (KeyInfo, error)
	}{
		"delete":  {http.MethodDelete, func(ctx context.Context, v *Vault) (KeyInfo, error) { return v.Delete(ctx, "invoices") }},
		"recover": {http.MethodPost, func(ctx context.Context, v *Vault) (KeyInfo, error) { return v.Recover(ctx, "invoices") }},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			v := vaultOf(t, clientOf(t, grave(t, 20*time.Second, test.method), nil), someRef().Vault)
			info, err := test.call(t.Context(), v)
			if took := time.Since(start); err != nil || info.KID != someKID || took < 20*time.Second || took > 26*time.Second {
				t.Errorf("%s = %+v, %v after %s; want 20s and a little more", name, info, err, took)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			v = vaultOf(t, clientOf(t, grave(t, time.Hour, test.method), nil), someRef().Vault)
			_, err = test.call(ctx, v)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v; want the deadline", name, err)
			}
			wantCode(t, name, err, schema.CodeUnavailable)
		})
	}
}

// TestPurgeWaitsUntilTheNameIsFree asks until the deleted key is gone.
func TestPurgeWaitsUntilTheNameIsFree(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault, looks := newStub(t, nil), 0
		vault.script = func(_ int64, req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodDelete {
				return status(204), nil
			}
			if looks++; looks < 4 {
				return answer200(vault.bundle()), nil
			}
			return status(404), nil
		}
		v := vaultOf(t, clientOf(t, vault, nil), someRef().Vault)
		if err := v.Purge(t.Context(), "invoices"); err != nil || looks != 4 {
			t.Errorf("Purge = %v after %d looks", err, looks)
		}
	})
}

// TestLostAnswersOfDeletion: what an attempt without an answer has done is
// not told as a failure of the next one.
func TestLostAnswersOfDeletion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := newStub(t, nil)
		vault.script = func(n int64, req *http.Request) (*http.Response, error) {
			switch {
			case n == 1:
				return nil, http.ErrServerClosed
			case req.Method == http.MethodDelete:
				return status(404), nil
			}
			return answer200(vault.bundle()), nil
		}
		info, err := vaultOf(t, clientOf(t, vault, nil), someRef().Vault).Delete(t.Context(), "invoices")
		if err != nil || info.KID != someKID {
			t.Errorf("Delete = %+v, %v", info, err)
		}
	})
}
