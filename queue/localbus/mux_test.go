package localbus_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

// serve lets s serve a port of its own and returns its number. The end of s
// has to end Serve.
func serve(t *testing.T, s *localbus.Server) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(t.Context(), l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}

func newAuthority(t *testing.T) *localbus.Authority {
	t.Helper()
	a, err := localbus.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// webClient returns an HTTP client that trusts a.
func webClient(t *testing.T, a *localbus.Authority) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: a.ClientConfig(), ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestOnePortTakesFourProtocols(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	port := serve(t, newServer(t, localbus.Config{OpenAccess: true, TLS: a.ServerConfig()}))
	for _, scheme := range []string{"http", "https"} {
		if got := get(t, webClient(t, a), scheme+"://localhost:"+port+"/health"); got != `{"message":"Service is healthy.","status":"healthy"}`+"\n" {
			t.Errorf("%s: got %s", scheme, got)
		}
	}
	plain, err := net.Dial("tcp", "127.0.0.1:"+port)
	expectAMQP(t, plain, err)
	for _, name := range []string{"localhost", "localhost:" + port, "jobs.localhost", "127.0.0.1", "::1"} {
		c := a.ClientConfig()
		c.ServerName = name
		secure, err := tls.Dial("tcp", "127.0.0.1:"+port, c)
		expectAMQP(t, secure, err)
	}
}

// expectAMQP fails unless an AMQP server answers.
func expectAMQP(t *testing.T, nc net.Conn, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
		return
	}
	defer nc.Close()
	b := make([]byte, amqp.HeaderSize)
	if _, err := io.WriteString(nc, amqp.ProtocolAMQP); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadFull(nc, b); err != nil || string(b) != amqp.ProtocolAMQP {
		t.Errorf("got %q, error %v", b, err)
	}
}

func get(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	r, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCertificateIsForLoopbackOnly(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	port := serve(t, newServer(t, localbus.Config{TLS: a.ServerConfig()}))
	for _, name := range []string{"example.com", "localhost:1", "127.0.0.2"} {
		c := a.ClientConfig()
		c.ServerName = name
		if nc, err := tls.Dial("tcp", "127.0.0.1:"+port, c); err == nil {
			nc.Close()
			t.Errorf("certificate is valid for %s", name)
		}
	}
	if nc, err := tls.Dial("tcp", "127.0.0.1:"+port, newAuthority(t).ClientConfig()); err == nil {
		nc.Close()
		t.Error("another authority vouches for the certificate")
	}
	if !strings.HasPrefix(string(a.PEM()), "-----BEGIN CERTIFICATE-----\n") {
		t.Errorf("got %q", a.PEM())
	}
}

func TestServerWithoutCertificateRefusesTLS(t *testing.T) {
	t.Parallel()
	port := serve(t, newServer(t, localbus.Config{}))
	if nc, err := tls.Dial("tcp", "127.0.0.1:"+port, newAuthority(t).ClientConfig()); err == nil {
		nc.Close()
		t.Error("got a connection")
	}
}

// memoryListener hands out connections in memory.
type memoryListener struct{ conns chan net.Conn }

func (l memoryListener) Accept() (net.Conn, error) {
	nc, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return nc, nil
}

// Close leaves Accept to the test, which closes conns.
func (memoryListener) Close() error   { return nil }
func (memoryListener) Addr() net.Addr { return &net.TCPAddr{} }

func TestSilentClientsAreSentAway(t *testing.T) {
	for _, tt := range []struct{ name, says string }{
		{"nothing", ""},
		{"half a TLS handshake", "\x16\x03\x01\x02\x00\x01"},
		{"half a request", "GET /health HTTP/1.1\r\nHost: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAuthority(t)
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t, localbus.Config{TLS: a.ServerConfig()})
				l := memoryListener{make(chan net.Conn)}
				done := make(chan error, 1)
				go func() { done <- s.Serve(t.Context(), l) }()
				client, server := net.Pipe()
				l.conns <- server
				start := time.Now()
				io.WriteString(client, tt.says)
				io.Copy(io.Discard, client)
				if took := time.Since(start); took < 9*time.Second || took > 15*time.Second {
					t.Errorf("sent away after %v", took)
				}
				close(l.conns)
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// scarceListener fails at first, as one does that has run out of descriptors.
type scarceListener struct {
	memoryListener
	failures *int
}

func (l scarceListener) Accept() (net.Conn, error) {
	if *l.failures > 0 {
		*l.failures--
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.memoryListener.Accept()
}

func TestServeOutlivesAShortageOfDescriptors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		failures := 3
		l := scarceListener{memoryListener{make(chan net.Conn)}, &failures}
		s := newServer(t, localbus.Config{OpenAccess: true})
		done := make(chan error, 1)
		go func() { done <- s.Serve(t.Context(), l) }()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("ended with %v", err)
		default:
		}
		client, server := net.Pipe()
		l.conns <- server
		expectAMQP(t, client, nil)
		close(l.conns)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestServeAfterClose(t *testing.T) {
	t.Parallel()
	s := newServer(t, localbus.Config{})
	s.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(t.Context(), l); err == nil {
		t.Error("a closed server serves")
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is open: %v", err)
	}
}
