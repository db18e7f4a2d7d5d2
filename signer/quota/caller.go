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
