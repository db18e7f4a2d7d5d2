package queue

import "context"

// Receiver takes messages from one queue under a peek lock.
type Receiver interface {
	// Receive blocks until at least one message is there and returns 1 to
	// limit deliveries. It never returns neither messages nor an error.
	// A connection that broke is restored inside, with backoff; an error
	// that comes out is one that waiting does not mend (ErrNotFound,
	// ErrUnauthorized) or the context's. When ctx ends while messages are
	// already here, they are returned with a nil error, so that none is
	// left locked and forgotten. Limit must be at least 1.
	Receive(ctx context.Context, limit int) ([]*Delivery, error)

	// Close ends the link. Deliveries that are not settled keep their lock
	// until it expires, and can still be settled while the client lives.
	Close(ctx context.Context) error
}

// Sender puts messages on one queue.
type Sender interface {
	// Send returns nil once the broker has accepted every message. On an
	// error some may have been accepted: sending them again with the same
	// IDs shows each one once, given duplicate detection on the queue.
	// ErrTooLarge names a message over the queue's limit; then none was
	// sent. On cancel the outcome is unknown.
	Send(ctx context.Context, messages ...Message) error

	// Close ends the link after the sends that are under way.
	Close(ctx context.Context) error
}
