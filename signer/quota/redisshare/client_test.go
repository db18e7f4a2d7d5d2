package redisshare

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"testing"
	"time"
)

// TestNodesOfACluster connects to a node that is named by its address, and has the
// certificate of the cluster's name.
func TestNodesOfACluster(t *testing.T) {
	t.Parallel()
	certificate, roots := certified(t, "store.example.org")
	node, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close() //nolint:errcheck // nothing is left that could be lost
	go func() {
		for c, err := node.Accept(); err == nil; c, err = node.Accept() {
			_ = c.(*tls.Conn).HandshakeContext(t.Context())
			_ = c.Close()
		}
	}()
	for _, test := range []struct {
		url string
		ok  bool
	}{
		{"rediss+cluster://store.example.org:10000", true},
		{"rediss+cluster://other.example.org:10000", false},
	} {
		o, err := options(Config{URL: test.url, TLS: &tls.Config{RootCAs: roots}, Timeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		c, err := o.Dialer(t.Context(), "tcp", node.Addr().String())
		if err == nil {
			_ = c.Close()
		}
		if (err == nil) != test.ok {
			t.Errorf("%s: got %v, want a connection: %t", test.url, err, test.ok)
		}
	}
}

// certified returns a certificate for a name, and those who trust it.
func certified(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
