package queue

import "context"

// Browser looks at the messages of one queue and takes none.
type Browser interface {
	// Browse returns 1 to limit messages in the order of their sequence
	// numbers, the first of those from that number on; none means that there
	// is none. Fewer than limit does not mean that there are no more. Whether
	// a message waits, is locked or scheduled makes no difference, nothing is
	// locked, and no delivery count is raised. Limit must be at least 1. Errors
	// are those of Receive, and those that a second call may mend.
	Browse(ctx context.Context, from int64, limit int) ([]Browsed, error)
}

// Browsed is a message as it stands in its queue.
type Browsed struct {
	Message
	Receipt // Count: deliveries that have failed so far; LockedUntil: zero
}
