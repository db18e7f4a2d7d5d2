package localbus

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net"
	"sync"
	"time"
)

// Authority is a certificate authority that lives as long as the process and
// vouches for this machine's loopback names only: localhost and names under
// it, 127.0.0.1 and ::1. Its methods may be called from any goroutine.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey // of the authority
	leaf *ecdsa.PrivateKey // of the server

	mu     sync.Mutex // guards leaves
	leaves map[string]*tls.Certificate
}

// validity of certificates; they begin a little earlier, for clocks that lag.
const (
	validity = 365 * 24 * time.Hour
	lag      = time.Hour
)

// NewAuthority makes an authority with fresh keys. It fails when the system's
// source of randomness does.
func NewAuthority() (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate authority key: %w", err)
	}
	leaf, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate server key: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "localbus " + now.UTC().Format(time.RFC3339)},
		NotBefore:             now.Add(-lag),
		NotAfter:              now.Add(validity),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign authority certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse authority certificate: %w", err)
	}
	return &Authority{cert: cert, key: key, leaf: leaf, leaves: map[string]*tls.Certificate{}}, nil
}

// PEM returns the authority's certificate for a file of trusted ones, such as
// SSL_CERT_FILE names.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// ClientConfig returns a configuration that trusts the authority alone.
func (a *Authority) ClientConfig() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// ServerConfig returns a configuration whose certificate fits the port that a
// client has dialled: some clients look for the name localhost:PORT, port
// included.
func (a *Authority) ServerConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.Conn == nil {
				return a.certificate("")
			}
			_, port, _ := net.SplitHostPort(hello.Conn.LocalAddr().String())
			return a.certificate(port)
		},
	}
}

// certificate returns the server certificate for a port, "" for no special one.
func (a *Authority) certificate(port string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.leaves[port]; c != nil {
		return c, nil
	}
	names := []string{"localhost", "*.localhost"}
	if port != "" {
		names = append(names, "localhost:"+port)
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "localhost"},
		NotBefore:   a.cert.NotBefore,
		NotAfter:    a.cert.NotAfter,
		DNSNames:    names,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, a.leaf.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("sign server certificate: %w", err)
	}
	a.leaves[port] = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.leaf}
	return a.leaves[port], nil
}
