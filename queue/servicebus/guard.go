package servicebus

import (
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// errUndecodable means that a message made the client panic.
var errUndecodable = errors.New("message cannot be decoded")

// guarded runs a receive call of the client, which asserts the types of some
// properties that any sender may set and panics on others. The message stays
// locked, comes back and is dead-lettered by the broker in the end.
func guarded(receive func() ([]*azservicebus.ReceivedMessage, error)) (messages []*azservicebus.ReceivedMessage, err error) {
	defer func() {
		if p := recover(); p != nil {
			messages, err = nil, fmt.Errorf("%w: %v", errUndecodable, p)
		}
	}()
	return receive()
}

// shyFor is how long messages are taken one by one after one could not be
// decoded: twice the longest lock, so that it is alone when it comes back.
const shyFor = 10 * time.Minute

// shyness keeps a message that cannot be decoded from taking its neighbours
// along: when the client panics, it loses all messages of that call, and they
// stay locked until their locks run out. The zero value is not shy.
type shyness struct {
	until time.Time
}

func (s *shyness) startled(now time.Time) {
	s.until = now.Add(shyFor)
}

// limit returns how many messages to ask for.
func (s *shyness) limit(wanted int, now time.Time) int {
	if now.Before(s.until) {
		return 1
	}
	return min(wanted, maxReceive)
}

// maxReceive is the most that the client takes in one call.
const maxReceive = 5000
