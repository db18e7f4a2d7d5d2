package servicebus

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// emulator is a connection string as the official emulator has it.
const emulator = "Endpoint=sb://localhost;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;"

// fixed is a credential with one answer.
type fixed struct {
	token azcore.AccessToken
	err   error
}

func (f fixed) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return f.token, f.err
}

func TestNewListsAllFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		config Config
		want   []string // parts of the error; none: no error
	}{
		{"connection string", Config{ConnectionString: emulator}, nil},
		{"identity", Config{Namespace: "example.servicebus.windows.net", Credential: fixed{}}, nil},
		{"nothing", Config{}, []string{"namespace is missing", "credential is missing"}},
		{"both", Config{ConnectionString: emulator, Namespace: "x"}, []string{"excludes"}},
		{"scheme", Config{Namespace: "sb://x", Credential: fixed{}}, []string{"host name"}},
		{"retry", Config{ConnectionString: emulator, Retry: Retry{Attempts: -1, Delay: -1}}, []string{"attempts", "delay"}},
		{"connection string that is none", Config{ConnectionString: "Endpoint=x"}, []string{"configuration"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(test.config)
			if (err == nil) != (test.want == nil) {
				t.Fatalf("got %v, want an error with %q", err, test.want)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("got %v, want an error with %q", err, part)
				}
			}
		})
	}
}

func TestRetryDefaults(t *testing.T) {
	t.Parallel()
	got := Config{}.withDefaults().options().RetryOptions
	want := azservicebus.RetryOptions{MaxRetries: 4, RetryDelay: 50 * time.Millisecond, MaxRetryDelay: 2 * time.Second}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	set := Retry{Attempts: 1, Delay: 2, MaxDelay: 3, MaxPause: 4}
	if got := (Config{Retry: set}).withDefaults().Retry; got != set {
		t.Errorf("got %+v, want %+v", got, set)
	}
}

func TestDialIsGivenTheHost(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	var host string
	c := Config{Dial: func(_ context.Context, h string) (net.Conn, error) {
		host = h
		return nil, refused
	}}
	args := azservicebus.NewWebSocketConnArgs{Host: "wss://example.servicebus.windows.net/$servicebus/websocket"}
	if _, err := c.dialStream(t.Context(), args); !errors.Is(err, refused) {
		t.Errorf("got %v, want %v", err, refused)
	}
	if want := "example.servicebus.windows.net"; host != want {
		t.Errorf("host: got %q, want %q", host, want)
	}
	if (Config{}).options().NewWebSocketConn != nil {
		t.Errorf("without Dial: got a dialer, want the client's own")
	}
}
