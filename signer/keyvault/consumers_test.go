package keyvault

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/localvault"
)

// certify makes a certificate that key signs itself, and checks it.
func certify(t *testing.T, key *PrivateKey, algorithm x509.SignatureAlgorithm) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "invoices"}, DNSNames: []string{"invoices.example.org"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign | x509.KeyUsageKeyEncipherment, IsCA: true, BasicConstraintsValid: true, SignatureAlgorithm: algorithm,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err == nil {
		err = made.CheckSignature(made.SignatureAlgorithm, made.RawTBSCertificate, made.Signature)
	}
	if err != nil || made.SignatureAlgorithm != algorithm && algorithm != 0 {
		t.Fatalf("%s: %v", made.SignatureAlgorithm, err)
	}
	return made
}

// TestX509 makes certificates and requests with every key that crypto/x509
// knows, in every signature algorithm that a vault can make.
func TestX509(t *testing.T) {
	t.Parallel()
	for name, spec := range standardKeys() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := standardKey(t, name)
			algorithms := []x509.SignatureAlgorithm{0, x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512}
			if spec.Type == "RSA" {
				algorithms = []x509.SignatureAlgorithm{0, x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS}
			}
			for _, algorithm := range algorithms {
				certify(t, key, algorithm)
				der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}, SignatureAlgorithm: algorithm}, key)
				if err != nil {
					t.Fatal(err)
				}
				request, err := x509.ParseCertificateRequest(der)
				if err == nil {
					err = request.CheckSignature()
				}
				if err != nil {
					t.Errorf("request with %s: %v", algorithm, err)
				}
			}
		})
	}
}

// TestTLS lets a server shake hands with a key in the vault, over a pipe. The
// RSA key exchange of TLS 1.2 needs the key to decrypt.
func TestTLS(t *testing.T) {
	t.Parallel()
	for name, spec := range standardKeys() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, server := privateKey(t, spec)
			certificate := certify(t, key, 0)
			for _, version := range []uint16{tls.VersionTLS13, tls.VersionTLS12} {
				handshake(t, key, certificate, &tls.Config{MinVersion: version, MaxVersion: version})
			}
			decrypter, err := key.Decrypter()
			if err != nil {
				return
			}
			handshake(t, decrypter, certificate, &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}})
			if server.Stats().Operations["decrypt"] != 1 {
				t.Errorf("%+v: the RSA key exchange did not decrypt", server.Stats().Operations)
			}
		})
	}
}

func handshake(t *testing.T, key crypto.Signer, certificate *x509.Certificate, config *tls.Config) {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	config.Certificates = []tls.Certificate{{Certificate: [][]byte{certificate.Raw}, PrivateKey: key}}
	served := make(chan error, 1) // one result
	go func() {
		defer far.Close()
		served <- tls.Server(far, config).HandshakeContext(t.Context())
	}()
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	client := tls.Client(near, &tls.Config{RootCAs: roots, ServerName: "invoices.example.org", MinVersion: config.MinVersion, CipherSuites: config.CipherSuites})
	err := client.HandshakeContext(t.Context())
	near.Close()
	if failed := <-served; err != nil || failed != nil {
		t.Errorf("client: %v; server: %v", err, failed)
	}
	if got := client.ConnectionState().Version; got != config.MinVersion {
		t.Errorf("the version is %x", got)
	}
}

// opaque lets go-jose sign with a key in a vault, which speaks JOSE itself.
type opaque struct {
	t         *testing.T
	client    *Client
	key       signer.Key
	algorithm schema.Algorithm
}

func (o opaque) Public() *jose.JSONWebKey {
	return &jose.JSONWebKey{Key: o.key.Public, KeyID: o.key.KID, Algorithm: string(o.algorithm)}
}

func (o opaque) Algs() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.SignatureAlgorithm(o.algorithm)}
}

func (o opaque) SignPayload(payload []byte, _ jose.SignatureAlgorithm) ([]byte, error) {
	hash := o.algorithm.Hash().New()
	hash.Write(payload)
	return o.client.Sign(o.t.Context(), o.key, o.algorithm, hash.Sum(nil))
}

// TestJWT signs tokens through go-jose that golang-jwt verifies, and another
// key refuses.
func TestJWT(t *testing.T) {
	t.Parallel()
	server := openVault(t, localvault.Config{Keys: keySpecs()})
	c := clientOf(t, server.RoundTripper(), nil)
	for _, algorithm := range schema.PublicKeySignatures() {
		if algorithm == schema.ES256K {
			continue // neither library knows it
		}
		key := resolve(t, c, refFor(algorithm))
		tokens, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: opaque{t, c, key, algorithm}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := tokens.Sign([]byte(`{"sub":"invoices"}`))
		if err != nil {
			t.Fatal(err)
		}
		text, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := jwt.Parse(text, func(token *jwt.Token) (any, error) { return key.Public, nil }, jwt.WithValidMethods([]string{string(algorithm)}))
		if err != nil || parsed.Header["kid"] != key.KID {
			t.Errorf("%s: %v, %v", algorithm, parsed, err)
		}
		spoiled := strings.Replace(text, ".", ".e", 1)
		if _, err := jwt.Parse(spoiled, func(*jwt.Token) (any, error) { return key.Public, nil }); err == nil {
			t.Errorf("%s: a spoiled token verifies", algorithm)
		}
	}
}

// TestJWKIsRead reads the public halves with go-jose.
func TestJWKIsRead(t *testing.T) {
	t.Parallel()
	for name := range standardKeys() {
		private := standardKey(t, name)
		key := resolve(t, private.client, private.ref)
		text, err := signer.MarshalJWK(key)
		if err != nil {
			t.Fatal(err)
		}
		var read jose.JSONWebKey
		if err := read.UnmarshalJSON(text); err != nil || read.KeyID != key.KID || !read.Valid() || !equal(key.Public, crypto.PublicKey(read.Key)) {
			t.Errorf("%s: %s, %v", name, text, err)
		}
	}
}
