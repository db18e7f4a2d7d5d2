package servicebus

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// Config says how to reach a namespace: by Namespace and Credential, or by
// ConnectionString.
type Config struct {
	Namespace  string                 // fully qualified, such as example.servicebus.windows.net
	Credential azcore.TokenCredential // who we are; asked for a token for each queue

	// ConnectionString stands instead of Namespace and Credential. With
	// UseDevelopmentEmulator=true in it the connection is plain TCP.
	ConnectionString string

	// Dial opens the byte stream on which AMQP is spoken, TLS included where
	// the other side wants it. Nil: TCP with TLS to the namespace, port 5671.
	Dial func(ctx context.Context, host string) (net.Conn, error)

	TLS   *tls.Config  // nil: the system's roots; not used with Dial
	Log   *slog.Logger // nil: nothing is logged
	Retry Retry        // the zero value is fit for production
}

// Retry bounds the waiting on a broker that fails.
type Retry struct {
	Attempts int           // further tries of one call after the first; zero: 4
	Delay    time.Duration // before the first of them, then doubling with jitter; zero: 50 ms
	MaxDelay time.Duration // the longest wait between two tries; zero: 2 s
	MaxPause time.Duration // the longest pause of Receive between failing calls, and twice that after two minutes of failures; zero: 15 s
}

// Defaults of Retry. The client's own first delay is 4 s, too slow for a
// reply that somebody waits for.
const (
	defaultAttempts = 4
	defaultDelay    = 50 * time.Millisecond
	defaultMaxDelay = 2 * time.Second
	defaultMaxPause = 15 * time.Second
)

// check returns every fault of c in one error.
func (c Config) check() error {
	var faults []error
	fault := func(bad bool, text string) {
		if bad {
			faults = append(faults, errors.New(text))
		}
	}
	byString := c.ConnectionString != ""
	fault(byString && (c.Namespace != "" || c.Credential != nil), "a connection string excludes namespace and credential")
	fault(!byString && c.Namespace == "", "namespace is missing")
	fault(!byString && c.Credential == nil, "credential is missing")
	fault(strings.Contains(c.Namespace, "/"), "namespace is a host name, without scheme or path")
	r := c.Retry
	fault(r.Attempts < 0, "retry attempts is negative")
	fault(r.Delay < 0 || r.MaxDelay < 0 || r.MaxPause < 0, "a retry delay is negative")
	return errors.Join(faults...)
}

// withDefaults fills in what the zero values stand for.
func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	r := &c.Retry
	r.Attempts = orDefault(r.Attempts, defaultAttempts)
	r.Delay = orDefault(r.Delay, defaultDelay)
	r.MaxDelay = orDefault(r.MaxDelay, defaultMaxDelay)
	r.MaxPause = orDefault(r.MaxPause, defaultMaxPause)
	return c
}

func orDefault[T comparable](v, whenZero T) T {
	var zero T
	if v == zero {
		return whenZero
	}
	return v
}

// options translates c for the client.
func (c Config) options() *azservicebus.ClientOptions {
	o := &azservicebus.ClientOptions{
		TLSConfig:     c.TLS,
		ApplicationID: "signmill",
		RetryOptions: azservicebus.RetryOptions{
			MaxRetries:    int32(c.Retry.Attempts),
			RetryDelay:    c.Retry.Delay,
			MaxRetryDelay: c.Retry.MaxDelay,
		},
	}
	if c.Dial != nil {
		o.NewWebSocketConn = c.dialStream
	}
	return o
}

// dialStream is the client's entry for foreign byte streams. It hands over an
// address such as wss://HOST/$servicebus/websocket, of which Dial needs HOST.
func (c Config) dialStream(ctx context.Context, args azservicebus.NewWebSocketConnArgs) (net.Conn, error) {
	host := strings.TrimPrefix(args.Host, "wss://")
	host, _, _ = strings.Cut(host, "/")
	return c.Dial(ctx, host)
}
