package keyvault

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// TestPanicOfTheClientIsAnError lets the first call panic. Those that wait for
// it, and those that come later, must not wait for ever.
func TestPanicOfTheClientIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStub(t, func(n int64, _ *http.Request) (*http.Response, error) {
			if n == 1 {
				panic("assignment to entry in nil map")
			}
			return nil, nil
		})
		c := clientOf(t, s, nil)
		ref := someRef()
		_, err := c.Resolve(t.Context(), ref)
		if e, ok := errors.AsType[*signer.Error](err); !ok || e.Code != schema.CodeInternal {
			t.Errorf("got %v, want an error with code %s", err, schema.CodeInternal)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		<-time.After(20 * time.Second) // the refusal is forgotten
		if _, err := c.Resolve(ctx, ref); err != nil {
			t.Errorf("after the panic: %v", err)
		}
	})
}
