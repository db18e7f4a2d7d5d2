package broker

import "time"

// Outcome is the way in which a lock ends.
type Outcome int

// The outcomes. The zero value is none of them and is refused as Invalid.
const (
	Complete   Outcome = iota + 1 // the message is done and removed
	Abandon                       // available again with a higher delivery count; a deferred message stays deferred
	Defer                         // set aside for ReceiveDeferred
	DeadLetter                    // moved to the dead-letter queue; in a dead-letter queue: as Release
	Release                       // available again with the same delivery count
)

// Settlement describes how locks end.
type Settlement struct {
	Outcome     Outcome
	Reason      string     // DeadLetter only: becomes the application property DeadLetterReason; "" for none
	Description string     // DeadLetter only: becomes the application property DeadLetterErrorDescription; "" for none
	Modify      []Property // Abandon, Defer and DeadLetter: set over the application properties
}

// Settle ends the locks of tokens in one way, all or none. Which consumer took
// the messages does not matter. It reports LockLost when one of the locks has
// expired, was settled or never was, Invalid, or NotFound.
func (q *Queue) Settle(s Settlement, tokens ...Token) error { return nil }

// Renew extends locks by the queue's LockDuration from now, all or none, and
// returns their new ends in order. A lock of a session message is as long as
// its session's and is not extended alone. It reports LockLost or NotFound.
func (q *Queue) Renew(tokens ...Token) ([]time.Time, error) { return nil, nil }
