package broker

import "time"

// Message is what a sender hands over. Except for the named fields it is
// opaque here. After Send its slices belong to the broker and all receivers:
// nobody may write to them.
type Message struct {
	ID           string        // message id, the key of duplicate detection; "" lets Send make one; at most 128 characters
	SessionID    string        // meaningful with HasSession; at most 128 characters
	HasSession   bool          // the message names a session; "" is a valid SessionID
	PartitionKey string        // "" for none; at most 128 characters; part of the key of duplicate detection
	TTL          time.Duration // zero or less: the queue's default
	ScheduledAt  time.Time     // becomes available then; zero or past: at once
	Durable      bool          // AMQP header durable, passed through
	Priority     uint8         // AMQP header priority, passed through
	Size         int           // bytes counted against the limits, to which the queue adds 512 of its own; zero: len(Bare)

	DeliveryAnnotations []Property // the sender's own, passed through
	Annotations         []Property // the sender's own message annotations, passed through
	Bare                []byte     // properties, application properties, body and footer as received
}

// Property is one entry of an AMQP map. The broker passes values through.
type Property struct {
	Key   string
	Value any
}

// Token identifies a lock, in the byte order of RFC 9562.
type Token [16]byte

// State is where a message stands in its queue.
type State int

// The states. Their numbers are those of the annotation x-opt-message-state.
const (
	StateActive    State = iota // available or locked
	StateDeferred               // set aside, received by sequence number only
	StateScheduled              // waiting for its time
)

// Delivery is a message as it left the queue, or as Peek saw it.
type Delivery struct {
	*Message // shared with the broker and other receivers: read only

	IDFilled               bool          // Send made the ID up: Bare does not hold it
	SequenceNumber         int64         // number within the queue, from 1; kept in its dead-letter queue; a scheduled message gets a new one when its time comes
	EnqueuedSequenceNumber int64         // number in the first queue of a forwarded message or dead letter; zero: never forwarded
	EnqueuedAt             time.Time     // when the message became available, or was scheduled
	ExpiresAt              time.Time     // EnqueuedAt plus TimeToLive; zero: never
	TimeToLive             time.Duration // the shorter of the message's and the queue's; zero: unlimited
	DeliveryCount          int           // failed deliveries so far, as in the AMQP header: 0 on the first delivery
	State                  State         // StateDeferred also while a deferred message is locked
	LockToken              Token         // zero in receive-and-delete mode and after Peek
	LockedUntil            time.Time     // end of the lock, for sessions that of the session; zero without a lock
	DeadLetterSource       string        // name of the queue whose dead letter this is; "" for none
	Overlay                []Property    // to be merged over the application properties, keys are unique; read only
}
