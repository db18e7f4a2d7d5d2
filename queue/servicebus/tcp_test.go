package servicebus

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
)

// TestOverTCP leaves dialing to the client, with a connection string as the
// official emulator's.
func TestOverTCP(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := startBus(t)
	serving, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- b.Serve(serving, listener) }()
	defer func() {
		stop()
		<-served
	}()
	connection := strings.Replace(emulator, "localhost", listener.Addr().String(), 1)
	client := newClientAs(t, nil, connection)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := must(client.Sender(plainQueue)).Send(ctx, queue.Message{ID: "x"}); err != nil {
		t.Fatal(err)
	}
	got, err := must(client.Receiver(plainQueue)).Receive(ctx, 1)
	if err != nil || got[0].ID != "x" {
		t.Fatalf("receive: got %v, %v, want x", got, err)
	}
	if err := got[0].Complete(ctx); err != nil {
		t.Errorf("complete: got %v, want nil", err)
	}
}
