package localvault_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer/localvault"
)

// listen serves the vault on loopback until the test ends, and returns the port.
func listen(t *testing.T, server *localvault.Server) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// trusting returns a transport that trusts the vault's authority and sends all
// names to loopback.
func trusting(t *testing.T, server *localvault.Server, port string) *http.Transport {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(server.CA()) {
		t.Fatal("no certificate in the PEM")
	}
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: pool},
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, "127.0.0.1:"+port)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func TestServeHTTPS(t *testing.T) {
	t.Parallel()
	server := start(t, localvault.Config{Keys: []localvault.KeySpec{{Name: "k", Type: "EC"}}})
	port := listen(t, server)
	transport := trusting(t, server, port)
	c := clientFor(t, "https://vault.localhost:"+port, transport)
	signAndVerify(t, c, "k", "ES256")
	key, err := c.GetKey(t.Context(), "k", "", nil)
	if err != nil || !strings.HasPrefix(string(*key.Key.KID), "https://vault.localhost:"+port+"/keys/k/") {
		t.Errorf("kid %v, %v", key.Key, err)
	}
	server.SetFaults(localvault.Faults{DropRequest: 1})
	if err := signWith(t.Context(), c, "k", "", "ES256", make([]byte, 32)); err == nil {
		t.Error("no error from a dropped connection")
	}

	for _, host := range []string{"localhost", "127.0.0.1", "[::1]"} {
		c, err := azkeys.NewClient("https://"+host+":"+port, anyone{}, &azkeys.ClientOptions{
			DisableChallengeResourceVerification: true,
			ClientOptions:                        azcore.ClientOptions{Transport: &http.Client{Transport: transport}, Retry: policy.RetryOptions{MaxRetries: -1}},
		})
		if err != nil {
			t.Fatal(err)
		}
		signAndVerify(t, c, "k", "ES256")
	}
}

func TestServeSpeaksHTTP2AndHTTP1(t *testing.T) {
	t.Parallel()
	server := start(t, localvault.Config{})
	port := listen(t, server)
	for want, try2 := range map[int]bool{2: true, 1: false} {
		transport := trusting(t, server, port)
		transport.ForceAttemptHTTP2 = try2
		response := get(t, transport, "https://localhost:"+port+"/keys?api-version=7.6", nil)
		if response.ProtoMajor != want || response.StatusCode != 401 {
			t.Errorf("%s %d, want HTTP/%d", response.Proto, response.StatusCode, want)
		}
	}
}

func get(t *testing.T, transport http.RoundTripper, url string, header http.Header) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		r.Header = header
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

// Without a credential the SDK talks plain HTTP, on the same port.
func TestServePlainHTTP(t *testing.T) {
	t.Parallel()
	server := start(t, localvault.Config{Keys: []localvault.KeySpec{{Name: "k", Type: "RSA"}}})
	port := listen(t, server)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	c, err := azkeys.NewClient("http://127.0.0.1:"+port, nil, &azkeys.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: &http.Client{Transport: transport}}})
	if err != nil {
		t.Fatal(err)
	}
	signAndVerify(t, c, "k", "PS256")
}

func TestManagedIdentityToken(t *testing.T) {
	t.Parallel()
	server := start(t, localvault.Config{})
	port := listen(t, server)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	url := "http://127.0.0.1:" + port + "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net"
	if got := get(t, transport, url, nil).StatusCode; got != 403 {
		t.Errorf("without the header: %d", got)
	}
	response := get(t, transport, url, http.Header{"X-Identity-Header": {"any"}})
	var got struct {
		Token    string `json:"access_token"`
		Expires  string `json:"expires_on"`
		Resource string `json:"resource"`
		Type     string `json:"token_type"`
	}
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	expires, err := strconv.ParseInt(got.Expires, 10, 64)
	if err != nil || time.Until(time.Unix(expires, 0)) < time.Hour || got.Resource != "https://vault.azure.net" || got.Type != "Bearer" {
		t.Errorf("%+v, %v", got, err)
	}
	parts := strings.Split(got.Token, ".")
	if len(parts) != 3 {
		t.Fatalf("token %s", got.Token)
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || !strings.Contains(string(body), `"aud":"https://vault.azure.net"`) {
		t.Errorf("claims %s, %v", body, err)
	}
}

// pipes is a listener for connections in memory.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// dial returns the client's end of a new connection.
func (p *pipes) dial() net.Conn {
	near, far := net.Pipe()
	p.conns <- far
	return near
}

// A connection that says nothing and an answer that is held back do not keep
// the server from stopping at once.
func TestServeStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := start(t, localvault.Config{Faults: localvault.Faults{Delay: time.Hour}})
		listener := newPipes()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- server.Serve(ctx, listener) }()

		silent, busy := listener.dial(), listener.dial()
		if _, err := io.WriteString(busy, "GET /keys?api-version=7.6 HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		from := time.Now()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
		if took := time.Since(from); took >= time.Second {
			t.Errorf("stopping took %v", took)
		}
		for _, conn := range []net.Conn{silent, busy} {
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				t.Error("a connection outlived the server")
			}
		}
	})
}

func TestServeReportsListenerError(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	if err := start(t, localvault.Config{}).Serve(t.Context(), listener); err == nil {
		t.Error("no error")
	}
}
