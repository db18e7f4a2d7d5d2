package queuetest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue"
)

// Harness is what one test works with: an adapter and fresh queues. The test's
// cleanup ends everything that the functions opened.
type Harness struct {
	Receiver func(t *testing.T, name string) queue.Receiver // a new link to a queue
	Sender   func(t *testing.T, name string) queue.Sender   // a new link to a queue

	Plain       string // an empty queue without sessions and duplicate detection
	DeadLetters string // under this name the dead letters of Plain are received
	Missing     string // the name of a queue that does not exist

	LockDuration  time.Duration // of all queues
	MaxDeliveries int           // of all queues; zero: the tests of it are skipped
	TooLarge      int           // bytes: a body of this size is over every limit

	Unique   string // an empty queue that detects duplicates; "": skipped
	Sessions string // an empty queue with sessions; "": skipped

	// Session locks one session of a queue. It may be nil if Sessions is "".
	Session func(ctx context.Context, name, sessionID string) (queue.Receiver, error)

	// Forbidden opens links to Plain without the rights to use them; nil: skipped.
	Forbidden func(t *testing.T) (queue.Receiver, queue.Sender)
}

// suite is every test in the order of reading.
var suite = []struct {
	name string
	run  func(*testing.T, Harness)
}{
	{"message travels whole", travelsWhole},
	{"smallest message travels", smallestTravels},
	{"large message travels", largeTravels},
	{"messages arrive in order", arriveInOrder},
	{"many messages of one send arrive in order", manyOfOneSend},
	{"concurrent sends all arrive", concurrentSends},
	{"sending nothing is a success", sendNothing},
	{"message without id is refused", sendWithoutID},
	{"message too large is refused", sendTooLarge},
	{"one message too large stops all", sendOneTooLarge},
	{"duplicate is seen once", duplicateOnce},
	{"scheduled message comes when it is due", scheduledComes},

	{"receive keeps to its limit", keepsLimit},
	{"receive refuses a limit below one", refusesLimit},
	{"receive waits for a message", waitsForMessage},
	{"receive ends with its context", endsWithContext},
	{"receive returns what is here when its context ends", returnsBuffered},
	{"cancelled receives lose nothing", cancelLosesNothing},

	{"complete removes the message", completeRemoves},
	{"abandon gives the message back at once", abandonGivesBack},
	{"dead-letter keeps message and reason", deadLetterKeeps},
	{"delivery settles once", settlesOnce},
	{"concurrent settlements all count", concurrentSettlements},
	{"last delivery goes to the dead letters", lastDelivery},

	{"lock expires", lockExpires},
	{"renewal keeps the lock", renewalKeeps},
	{"concurrent renewals all count", concurrentRenewals},
	{"renewal after expiry fails", renewalTooLate},

	{"browse sees what is there", browseSees},
	{"browse takes nothing", browseTakesNothing},
	{"browse reports what it cannot see", browseRefuses},

	{"missing queue is reported", missingQueue},
	{"missing rights are reported", missingRights},

	{"session receives its own in order", sessionOwn},
	{"session has one holder", sessionOneHolder},

	{"closed receiver does not receive", closedReceiver},
	{"closed receiver ends a receive under way", closeEndsReceive},
	{"closed receiver leaves deliveries to settle", closedSettles},
	{"closed sender has finished", closedSender},
}

// Run tells an adapter through the suite in real time. Open is called by each
// test.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	for _, test := range suite {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
	}
}

// RunVirtual is Run in virtual time. Everything that open starts, the broker
// too, must end with the test's cleanup, and may not wait for anything outside
// the process.
func RunVirtual(t *testing.T, open func(t *testing.T) Harness) {
	for _, test := range suite {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test.run(t, open(t)) })
		})
	}
}
