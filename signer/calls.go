package signer

import "context"

// Call is one request to a vault, by the names under which both sides log it.
type Call struct {
	Client string // our own name of it, x-ms-client-request-id; each attempt has another
	Vault  string // the vault's name of it, x-ms-request-id, as it came; "" where no answer came
}

type callsKey struct{}

// WithCalls returns a context whose requests are told to heard: each when its
// answer has come or failed, on the goroutine that made it. What is done without
// a request tells nothing.
func WithCalls(ctx context.Context, heard func(Call)) context.Context {
	return context.WithValue(ctx, callsKey{}, heard)
}

// TellCall is for implementations of Keys: it tells whoever asked for it with
// WithCalls of a request.
func TellCall(ctx context.Context, c Call) {
	if heard, ok := ctx.Value(callsKey{}).(func(Call)); ok {
		heard(c)
	}
}
