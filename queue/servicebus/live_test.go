package servicebus

import (
	"context"
	"crypto/rand"
	"os"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus/admin"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/queuetest"
)

// liveVariable holds a connection string with the right to manage a namespace
// of the standard tier. Queues are made for each test and deleted afterwards.
const liveVariable = "SIGNMILL_LIVE_SERVICEBUS"

func TestConformanceLive(t *testing.T) {
	connection := os.Getenv(liveVariable)
	if connection == "" {
		t.Skip(liveVariable + " is not set")
	}
	manage, err := admin.NewClientFromConnectionString(connection, nil)
	if err != nil {
		t.Fatal(err)
	}
	queuetest.Run(t, func(t *testing.T) queuetest.Harness {
		client, err := New(Config{ConnectionString: connection})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { client.Close(context.WithoutCancel(t.Context())) })
		plain := makeQueue(t, manage, admin.QueueProperties{})
		return queuetest.Harness{
			Receiver:      receiverOf(client),
			Sender:        senderOf(client),
			Session:       sessionOf(client),
			Plain:         plain,
			DeadLetters:   DeadLetters(plain),
			Missing:       plain + "-missing",
			Unique:        makeQueue(t, manage, admin.QueueProperties{RequiresDuplicateDetection: new(true)}),
			Sessions:      makeQueue(t, manage, admin.QueueProperties{RequiresSession: new(true)}),
			LockDuration:  lockDuration,
			MaxDeliveries: maxDeliveries,
			TooLarge:      1 << 20,
		}
	})
}

// makeQueue makes a queue of a random name for the time of the test.
func makeQueue(t *testing.T, manage *admin.Client, p admin.QueueProperties) string {
	t.Helper()
	name := "signmill-test-" + rand.Text()
	p.LockDuration = new("PT5S")
	p.MaxDeliveryCount = new(int32(maxDeliveries))
	p.AutoDeleteOnIdle = new("PT1H")
	if _, err := manage.CreateQueue(t.Context(), name, &admin.CreateQueueOptions{Properties: &p}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if _, err := manage.DeleteQueue(ctx, name, nil); err != nil {
			t.Logf("queue %s is left behind: %v", name, err)
		}
	})
	return name
}

func receiverOf(c *Client) func(*testing.T, string) queue.Receiver {
	return func(t *testing.T, name string) queue.Receiver {
		t.Helper()
		r, err := c.Receiver(name)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
}

func senderOf(c *Client) func(*testing.T, string) queue.Sender {
	return func(t *testing.T, name string) queue.Sender {
		t.Helper()
		s, err := c.Sender(name)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// sessionOf keeps a nil receiver from becoming an interface that is not nil.
func sessionOf(c *Client) func(context.Context, string, string) (queue.Receiver, error) {
	return func(ctx context.Context, name, id string) (queue.Receiver, error) {
		r, err := c.SessionReceiver(ctx, name, id)
		if err != nil {
			return nil, err
		}
		return r, nil
	}
}
