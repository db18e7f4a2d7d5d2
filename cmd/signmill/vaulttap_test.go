package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// vaultTap is a proxy in front of a vault that knows when it signs.
type vaultTap struct {
	*trap
	under http.RoundTripper // to the vault
}

// listen serves until the end of the test. It returns the URL and, in PEM, the
// certificate that clients must trust.
func (p *vaultTap) listen(t *testing.T, vault string) (address string, certificate []byte) {
	t.Helper()
	at, err := url.Parse(vault)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(at)
			r.Out.Host = r.In.Host // the vault names its keys by it
		},
		Transport:    p,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	})
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

// errKilled ends what a dead worker had asked for.
var errKilled = errors.New("the worker is dead")

// RoundTrip forwards a request of the present worker.
func (p *vaultTap) RoundTrip(r *http.Request) (*http.Response, error) {
	var asked, answered step
	if strings.HasSuffix(r.URL.Path, "/sign") && r.Header.Get("Authorization") != "" {
		asked.before, answered.before = beforeSign, afterSign
	}
	life := p.present()
	if !p.pass(life, asked, func() {}) {
		return nil, errKilled
	}
	response, err := p.under.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if !p.pass(life, answered, func() {}) {
		return nil, errKilled
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// trusting returns a transport that trusts the authorities in PEM.
func trusting(authorities []byte) *http.Transport {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authorities)
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 64}
}
