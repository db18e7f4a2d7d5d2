package localvault

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// identity is the certificate that the vault shows, and who vouches for it.
type identity struct {
	ca   []byte // PEM
	leaf tls.Certificate
}

// certificateLife is short: a restart makes a new one.
const certificateLife = 90 * 24 * time.Hour

// newIdentity makes an authority and a certificate for the loopback names.
func newIdentity() (identity, error) {
	ca := template("localvault authority")
	ca.IsCA, ca.BasicConstraintsValid, ca.MaxPathLenZero = true, true, true
	ca.KeyUsage = x509.KeyUsageCertSign
	caKey, caDER, err := issue(ca, ca, nil)
	if err != nil {
		return identity{}, fmt.Errorf("authority: %w", err)
	}
	leaf := template("localhost")
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	leaf.DNSNames = []string{"localhost", "*.localhost"}
	leaf.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	leafKey, leafDER, err := issue(leaf, ca, caKey)
	if err != nil {
		return identity{}, fmt.Errorf("leaf: %w", err)
	}
	return identity{
		ca:   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}),
		leaf: tls.Certificate{Certificate: [][]byte{leafDER, caDER}, PrivateKey: leafKey},
	}, nil
}

// template returns what both certificates have in common. Their dates follow
// the wall clock, because TLS clients go by it.
func template(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetInt64(now.UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(certificateLife),
	}
}

// issue makes a key and a certificate for it, signed by the issuer's key; by
// its own if that is nil.
func issue(cert, issuer *x509.Certificate, signer *ecdsa.PrivateKey) (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, issuer, &key.PublicKey, signer)
	if err != nil {
		return nil, nil, err
	}
	return key, der, nil
}

// CA returns the certificate of the authority that clients of [Server.Serve]
// must trust, in PEM. It is made anew by each [New] and its key is thrown away.
func (s *Server) CA() []byte { return append([]byte(nil), s.identity.ca...) }
