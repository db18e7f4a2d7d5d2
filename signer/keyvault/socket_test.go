package keyvault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/localvault"
)

// counted counts the connections that a listener accepts.
type counted struct {
	net.Listener
	accepted *atomic.Int64
}

func (c counted) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.accepted.Add(1)
	}
	return conn, err
}

// listen serves a vault on the loopback interface until the test ends.
func listen(t testing.TB, server *localvault.Server) (host string, accepted *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted = &atomic.Int64{}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(ctx, counted{listener, accepted}); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); serving.Wait() })
	return listener.Addr().String(), accepted
}

// TestOverTLS speaks to a vault on a socket, by its address: the challenge
// names no parent domain, which only a loopback host is forgiven.
func TestOverTLS(t *testing.T) {
	t.Parallel()
	server := openVault(t, localvault.Config{Keys: keySpecs()[1:2]})
	host, _ := listen(t, server)
	transport := newTransport(1)
	transport.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
	transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(server.CA())
	t.Cleanup(transport.CloseIdleConnections)
	c := clientOf(t, transport, nil)
	key := resolve(t, c, signer.Ref{Vault: "https://" + host, Name: "P-256"})
	if err := signOnce(t, c, key); err != nil {
		t.Error(err)
	}
	strict := clientOf(t, transport, func(config *Config) { config.Local = false })
	_, err := strict.Resolve(t.Context(), signer.Ref{Vault: "https://" + host, Name: "P-256"})
	wantCode(t, "loopback, not admitted", err, schema.CodeKeyNotFound)
}

// TestConnectionsAreKept makes bursts of calls over plain http: the client's
// own transport opens no connection that it has already.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	const burst = 48
	server := openVault(t, localvault.Config{Keys: keySpecs()[1:2]})
	host, accepted := listen(t, server)
	c := newClient(t, func(config *Config) { config.Concurrency = burst })
	key := resolve(t, c, signer.Ref{Vault: "http://" + host, Name: "P-256"})
	for range 8 {
		var callers sync.WaitGroup
		for range burst {
			callers.Go(func() {
				if err := signOnce(t, c, key); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
	}
	if got := accepted.Load(); got > burst+burst/4 {
		t.Errorf("%d connections for bursts of %d, want about as many as a burst", got, burst)
	}
}
