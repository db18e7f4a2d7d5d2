package policy

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// claimKey is a public key that signs claims. It fixes the algorithm: a claim
// cannot choose one.
type claimKey struct {
	id        string // kid of a JWK, else its RFC 7638 thumbprint with SHA-256, in base64url
	algorithm jose.SignatureAlgorithm
	public    crypto.PublicKey
}

// claimAlgorithms are those that a claim may have. None of them is symmetric.
func claimAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.EdDSA, jose.ES256, jose.RS256}
}

// keyText returns a key that stands in the file itself, or the content of the
// file that it names.
func (r *reader) keyText(text string) ([]byte, error) {
	data := []byte(text)
	if trimmed := strings.TrimSpace(text); !strings.HasPrefix(trimmed, "-----BEGIN ") && !strings.HasPrefix(trimmed, "{") {
		if r.options.ReadFile == nil {
			return nil, fmt.Errorf("no file %s is read here: put the key itself in", quoted(text))
		}
		var err error
		if data, err = r.options.ReadFile(text); err != nil {
			return nil, fmt.Errorf("the file %s cannot be read: %w", quoted(text), err)
		}
	}
	if len(data) > maxKeyBytes {
		return nil, fmt.Errorf("the key has %d bytes, and %d is the limit", len(data), maxKeyBytes)
	}
	return data, nil
}

// parseClaimKey reads a JWK, or a public key or certificate in PEM.
func parseClaimKey(data []byte) (claimKey, error) {
	jwk := jose.JSONWebKey{}
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		if err := jwk.UnmarshalJSON(data); err != nil {
			return claimKey{}, errors.New("this is no JWK: use a public key of RFC 7517")
		}
	} else {
		var err error
		if jwk.Key, err = parsePEM(data); err != nil {
			return claimKey{}, err
		}
	}
	return newClaimKey(jwk)
}

// parsePEM reads the one block there is.
func parsePEM(data []byte) (crypto.PublicKey, error) {
	block, rest := pem.Decode(data)
	switch {
	case block == nil:
		return nil, errors.New("this is neither a JWK nor PEM: use a public key")
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, errors.New("something follows the first block of PEM: use one file for each key")
	case block.Type == "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case block.Type == "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return certificate.PublicKey, nil
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, errPrivate
	}
	return nil, fmt.Errorf("PEM of the type %s: use PUBLIC KEY or CERTIFICATE", quoted(block.Type))
}

var errPrivate = errors.New("this is a private key, which the worker must never have: make a new one, and name its public half here")

// newClaimKey fixes the algorithm that fits a public key.
func newClaimKey(jwk jose.JSONWebKey) (claimKey, error) {
	key := claimKey{id: jwk.KeyID, public: jwk.Key}
	switch public := jwk.Key.(type) {
	case ed25519.PublicKey:
		key.algorithm = jose.EdDSA
	case *ecdsa.PublicKey:
		if public.Curve == elliptic.P256() {
			key.algorithm = jose.ES256
		}
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits >= 2048 && bits <= 4096 {
			key.algorithm = jose.RS256
		}
	case ed25519.PrivateKey, *ecdsa.PrivateKey, *rsa.PrivateKey:
		return claimKey{}, errPrivate
	}
	switch {
	case key.algorithm == "":
		return claimKey{}, errors.New("use a key for EdDSA (Ed25519), ES256 (P-256) or RS256 (RSA with 2048 to 4096 bits)")
	case jwk.Algorithm != "" && jwk.Algorithm != string(key.algorithm):
		return claimKey{}, fmt.Errorf("the JWK is for %s, and such a key is used with %s here", quoted(jwk.Algorithm), key.algorithm)
	case jwk.Use != "" && jwk.Use != "sig":
		return claimKey{}, fmt.Errorf("the JWK's use is %s, and a claim is signed: use sig", quoted(jwk.Use))
	case key.id == "":
		thumbprint, err := jwk.Thumbprint(crypto.SHA256)
		if err != nil {
			return claimKey{}, err
		}
		key.id = base64.RawURLEncoding.EncodeToString(thumbprint)
	}
	return key, nil
}
