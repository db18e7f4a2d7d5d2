package quota

import "context"

// Caller says whose turn a call counts for. Calls without one share the turns
// of the zero Caller.
type Caller struct {
	Job  string // jobs of a lane take turns; any text that tells them apart
	Lane string // a name among Config.Lanes; any other is the lane ""
}

type callerKey struct{}

// WithCaller returns a context whose calls count for c.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

func callerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

type waitsKey struct{}

// WithWaits returns a context whose calls tell waits true when they begin to
// wait for a turn, and false when they wait no more, for whatever reason. A
// call that meets no line tells nothing. It runs on the caller's own goroutine.
func WithWaits(ctx context.Context, waits func(bool)) context.Context {
	return context.WithValue(ctx, waitsKey{}, waits)
}

// TellWaits tells the context of a call, if it is one of [WithWaits], that the
// call waits, until the returned function is called. A [Gate] does so, and so may
// what else a call has to wait for.
func TellWaits(ctx context.Context) (done func()) {
	waits, _ := ctx.Value(waitsKey{}).(func(bool))
	if waits == nil {
		return func() {}
	}
	waits(true)
	return func() { waits(false) }
}
