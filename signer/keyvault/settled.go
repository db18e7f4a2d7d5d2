package keyvault

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// How long settled waits between two looks: at first, and at most.
const (
	firstLook = 250 * time.Millisecond
	lastLook  = 4 * time.Second
)

// errStill says that something is not over yet.
var errStill = errors.New("it is not over yet")

// settled looks until look's answer is not one that pending expects to pass,
// or until ctx ends. The SDK has no poller for the vault's long operations.
func settled(ctx context.Context, id keyID, look func() (KeyInfo, error), pending func(error) bool) (KeyInfo, error) {
	for wait := firstLook; ; wait = min(2*wait, lastLook) {
		info, err := look()
		if err == nil || !pending(err) {
			return info, err
		}
		if ended := pause(ctx, wait); ended != nil {
			return KeyInfo{}, &signer.Error{
				Code:    schema.CodeUnavailable,
				Message: id.String() + ": the vault is still at it; what was asked will be done, look again later",
				Err:     ended,
			}
		}
	}
}

// again makes an operation that ends the existence of something repeatable:
// when an earlier attempt got no clear answer and this one is told that there
// is nothing, the earlier one has done it.
func again(call func(context.Context) error) func(context.Context) error {
	unclear := false
	return func(ctx context.Context) error {
		err := call(ctx)
		answer, answered := errors.AsType[*azcore.ResponseError](err)
		if answered && unclear && answer.StatusCode == http.StatusNotFound {
			return nil
		}
		unclear = unclear || err != nil && !undone(err)
		return err
	}
}
