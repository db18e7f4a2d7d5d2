package servicebus

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/queuetest"
)

// The queues of the tests.
const (
	plainQueue    = "jobs"
	bareQueue     = "bare"
	uniqueQueue   = "unique"
	sessionQueue  = "replies"
	missingQueue  = "missing"
	lockDuration  = 5 * time.Second // the shortest that Service Bus allows
	maxDeliveries = 3
)

// bus is a local broker for one test.
type bus struct{ *localbus.Server }

// startBus starts a broker without faults.
func startBus(t testing.TB) bus { return startFaultyBus(t, localbus.Faults{}) }

func startFaultyBus(t testing.TB, faults localbus.Faults) bus {
	t.Helper()
	plain := localbus.QueueProperties{LockDuration: lockDuration, MaxDeliveryCount: maxDeliveries}
	unique, session := plain, plain
	unique.RequiresDuplicateDetect = true
	session.RequiresSession = true
	server, err := localbus.New(localbus.Config{
		Queues: []localbus.Queue{
			{Name: plainQueue, QueueProperties: plain},
			{Name: bareQueue, QueueProperties: plain},
			{Name: uniqueQueue, QueueProperties: unique},
			{Name: sessionQueue, QueueProperties: session},
		},
		Faults: faults,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return bus{server}
}

func (b bus) dial(ctx context.Context, _ string) (net.Conn, error) { return b.Dial(ctx) }

// newClient returns a client that is closed with the test.
func newClient(t testing.TB, dial dialFunc) *Client {
	t.Helper()
	return newClientAs(t, dial, emulator)
}

func newClientAs(t testing.TB, dial dialFunc, connection string) *Client {
	t.Helper()
	c, err := New(Config{ConnectionString: connection, Dial: dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.WithoutCancel(t.Context())) })
	return c
}

func TestConformance(t *testing.T) {
	queuetest.RunVirtual(t, func(t *testing.T) queuetest.Harness {
		b := startBus(t)
		client := newClient(t, b.dial)
		return queuetest.Harness{
			Receiver:      receiverOf(client),
			Sender:        senderOf(client),
			Session:       sessionOf(client),
			Plain:         plainQueue,
			DeadLetters:   DeadLetters(plainQueue),
			Missing:       missingQueue,
			Unique:        uniqueQueue,
			Sessions:      sessionQueue,
			LockDuration:  lockDuration,
			MaxDeliveries: maxDeliveries,
			TooLarge:      1 << 20,
			Forbidden:     forbiddenOn(b),
		}
	})
}

// forbiddenOn opens links with a key that the broker does not know.
func forbiddenOn(b bus) func(*testing.T) (queue.Receiver, queue.Sender) {
	return func(t *testing.T) (queue.Receiver, queue.Sender) {
		t.Helper()
		client := newClientAs(t, b.dial, strings.Replace(emulator, "SAS_KEY_VALUE", "stolen", 1))
		return receiverOf(client)(t, plainQueue), senderOf(client)(t, plainQueue)
	}
}
