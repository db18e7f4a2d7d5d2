package servicebus

import "time"

// The queues of the tests.
const (
	plainQueue    = "jobs"
	uniqueQueue   = "unique"
	sessionQueue  = "replies"
	missingQueue  = "missing"
	lockDuration  = 5 * time.Second // the shortest that Service Bus allows
	maxDeliveries = 3
)
