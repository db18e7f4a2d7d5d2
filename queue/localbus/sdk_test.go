package localbus_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/signmill/signmill/queue/localbus"
)

const emulatorString = "Endpoint=sb://localhost;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true"

func newServer(t *testing.T, c localbus.Config) *localbus.Server {
	t.Helper()
	s, err := localbus.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// memoryClient returns an SDK client that talks to s in memory.
func memoryClient(t *testing.T, s *localbus.Server) *azservicebus.Client {
	t.Helper()
	return newClient(t, emulatorString, &azservicebus.ClientOptions{
		NewWebSocketConn: func(ctx context.Context, _ azservicebus.NewWebSocketConnArgs) (net.Conn, error) { return s.Dial(ctx) },
	})
}

func newClient(t *testing.T, connection string, o *azservicebus.ClientOptions) *azservicebus.Client {
	t.Helper()
	client, err := azservicebus.NewClientFromConnectionString(connection, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(context.Background()) })
	return client
}

func queues(names ...string) []localbus.Queue {
	var list []localbus.Queue
	for _, n := range names {
		list = append(list, localbus.Queue{Name: n})
	}
	return list
}

func TestSDKSendsAndReceivesInMemory(t *testing.T) {
	t.Parallel()
	s := newServer(t, localbus.Config{Queues: queues("jobs")})
	roundTrip(t, memoryClient(t, s))
}

func TestSDKSendsAndReceivesOverTCP(t *testing.T) {
	t.Parallel()
	s := newServer(t, localbus.Config{Queues: queues("jobs")})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	roundTrip(t, newClient(t, strings.Replace(emulatorString, "localhost", l.Addr().String(), 1), nil))
}

// roundTrip sends one message and completes it.
func roundTrip(t *testing.T, client *azservicebus.Client) {
	t.Helper()
	sender, err := client.NewSender("jobs", nil)
	if err != nil {
		t.Fatal(err)
	}
	id, subject := "m1", "greeting"
	sent := &azservicebus.Message{MessageID: &id, Subject: &subject, Body: []byte("hello")}
	if err := sender.SendMessage(t.Context(), sent, nil); err != nil {
		t.Fatal(err)
	}
	receiver, err := client.NewReceiverForQueue("jobs", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := receiver.ReceiveMessages(t.Context(), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if m := got[0]; m.MessageID != "m1" || string(m.Body) != "hello" || *m.Subject != "greeting" || m.DeliveryCount != 1 {
		t.Errorf("got %+v", m)
	}
	if err := receiver.CompleteMessage(t.Context(), got[0], nil); err != nil {
		t.Fatal(err)
	}
	left, err := receiver.PeekMessages(t.Context(), 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 0 {
		t.Errorf("%d messages left, want 0", len(left))
	}
}
