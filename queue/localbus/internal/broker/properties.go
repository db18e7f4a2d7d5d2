package broker

import "time"

// Status says what a queue allows.
type Status int

// The statuses of a queue. The zero value is Active.
const (
	Active          Status = iota // sends and receives
	FullyDisabled                 // neither
	SendDisabled                  // receives only
	ReceiveDisabled               // sends only
)

// Properties configure a queue. They follow the QueueDescription of the
// Service Bus management API. A zero number or duration means the default.
type Properties struct {
	LockDuration             time.Duration // of a message or a session; 5 s to 5 min, default 1 min
	MaxDeliveryCount         int           // deliveries before a message is dead-lettered; 1 to 2,147,483,647, default 10
	DefaultTimeToLive        time.Duration // longest life of a message; zero: unlimited
	DeadLetterOnExpiration   bool          // expired messages go to the dead-letter queue instead of nowhere
	RequiresSession          bool          // every message and every consumer names a session; fixed at creation
	RequiresDuplicateDetect  bool          // drop messages whose id was seen in the window; fixed at creation
	DuplicateDetectionWindow time.Duration // 5 s to 7 days, default 10 min; counted from the first sight of an id
	MaxSizeMegabytes         int           // messages of the queue and its dead-letter queues together; 1 to 1,048,576, default 1,024
	MaxMessageBytes          int64         // size of one message; 1,024 to 104,857,600, default 262,144
	ForwardTo                string        // queue that gets every message instead, one hop: a name, or an absolute URL with that path; "" for none
	ForwardDeadLettersTo     string        // queue that gets the dead letters instead, spelled like ForwardTo; "" for none
	Status                   Status        // what the queue allows
	UserMetadata             string        // at most 1,024 characters

	// Kept and returned, without effect in this package.
	AutoDeleteOnIdle        time.Duration // zero: never
	EnablePartitioning      bool
	EnableBatchedOperations bool
	EnableExpress           bool
	SupportOrdering         bool
	AnonymousAccessible     bool
	Attachment              any // whatever else the caller keeps with the queue; not copied
}

// Description is a queue with its properties and figures at one moment.
type Description struct {
	Name       string // as spelled at creation
	Properties        // with the defaults filled in
	Counts            // what the queue holds
	CreatedAt  time.Time
	UpdatedAt  time.Time // CreatedAt until the first update
	AccessedAt time.Time // last send or receive; zero: never
}

// Counts are the figures of a queue and its dead-letter queues.
type Counts struct {
	Active             int   // available and locked messages
	Scheduled          int   // messages whose time has not come
	Deferred           int   // messages set aside, locked or not
	DeadLetter         int   // messages in the dead-letter queue
	Transfer           int   // messages on their way to another queue; always 0, forwarding does not wait
	TransferDeadLetter int   // messages that could not be forwarded
	Total              int   // the sum of the above
	SizeBytes          int64 // the sizes of all these messages, 512 bytes more for each, and of session states
}
