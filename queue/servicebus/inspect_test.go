package servicebus

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
)

// serveManaged serves a broker with TLS, and returns a connection string for a
// rule that may manage and one for a rule that may only listen.
func serveManaged(t *testing.T) (manage, listen string, trust *tls.Config) {
	t.Helper()
	authority, err := localbus.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	server, err := localbus.New(localbus.Config{
		TLS: authority.ServerConfig(),
		Rules: []localbus.Rule{
			{Name: "RootManageSharedAccessKey", Key: "SAS_KEY_VALUE", Rights: localbus.RightManage | localbus.RightSend | localbus.RightListen},
			{Name: "listener", Key: "SAS_KEY_VALUE", Rights: localbus.RightListen},
		},
		Queues: []localbus.Queue{{Name: uniqueQueue, QueueProperties: localbus.QueueProperties{
			LockDuration: 40 * time.Second, MaxDeliveryCount: 7, RequiresDuplicateDetect: true, RequiresSession: true,
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1) // one result, never closed
	go func() { served <- server.Serve(ctx, listener) }()
	t.Cleanup(func() { stop(); <-served; server.Close() })
	manage = strings.Replace(emulator, "localhost", listener.Addr().String(), 1)
	return manage, strings.Replace(manage, "RootManageSharedAccessKey", "listener", 1), authority.ClientConfig()
}

func TestInspect(t *testing.T) {
	t.Parallel()
	manage, listen, trust := serveManaged(t)
	got, err := Inspect(t.Context(), Config{ConnectionString: manage, TLS: trust}, uniqueQueue)
	if err != nil {
		t.Fatal(err)
	}
	want := QueueInfo{Status: "Active", LockDuration: 40 * time.Second, MaxDeliveries: 7, Sessions: true, Duplicates: true, DuplicateWindow: 10 * time.Minute}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	_, err = Inspect(t.Context(), Config{ConnectionString: manage, TLS: trust}, missingQueue)
	if !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("missing: got %v, want not found", err)
	}
	_, err = Inspect(t.Context(), Config{ConnectionString: listen, TLS: trust}, uniqueQueue)
	if !errors.Is(err, queue.ErrUnauthorized) {
		t.Errorf("listener: got %v, want unauthorized", err)
	}
	if _, err = Inspect(t.Context(), Config{}, uniqueQueue); err == nil {
		t.Error("no configuration: got nil, want an error")
	}
}

// TestInspectUntrusted meets a broker whose certificate nobody vouches for.
func TestInspectUntrusted(t *testing.T) {
	t.Parallel()
	manage, _, _ := serveManaged(t)
	_, err := Inspect(t.Context(), Config{ConnectionString: manage}, uniqueQueue)
	if err == nil || errors.Is(err, queue.ErrUnauthorized) || errors.Is(err, queue.ErrNotFound) {
		t.Errorf("got %v, want a failure of no kind", err)
	}
}

func TestReadDuration(t *testing.T) {
	t.Parallel()
	tests := map[string]time.Duration{
		"": 0, "PT1M": time.Minute, "PT30S": 30 * time.Second, "P7D": 7 * 24 * time.Hour, "P1DT2H3M4S": 26*time.Hour + 3*time.Minute + 4*time.Second, "PT1.5S": time.Second,
	}
	for text, want := range tests {
		if got, err := readDuration(text); got != want || err != nil {
			t.Errorf("%q: got %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"1m", "PT1Y", "P-1D", "PT1H ", "P999999D"} {
		if got, err := readDuration(text); err == nil {
			t.Errorf("%q: got %s, want an error", text, got)
		}
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	tests := []struct {
		c    Config
		want Address
	}{
		{Config{Namespace: "example.servicebus.windows.net"}, Address{"example.servicebus.windows.net", "5671", true}},
		{Config{ConnectionString: "Endpoint=sb://example.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=k="}, Address{"example.servicebus.windows.net", "5671", true}},
		{Config{ConnectionString: emulator}, Address{"localhost", "5672", false}},
		{Config{ConnectionString: strings.Replace(emulator, "localhost", "[::1]:77", 1)}, Address{"::1", "77", false}},
	}
	for _, tt := range tests {
		if got, err := tt.c.Address(); got != tt.want || err != nil {
			t.Errorf("%+v: got %+v, %v, want %+v", tt.c, got, err, tt.want)
		}
	}
	_, err := Config{ConnectionString: "SharedAccessKey=k"}.Address()
	if err == nil || strings.Contains(err.Error(), "=k") {
		t.Errorf("got %v, want an error without the key", err)
	}
}
