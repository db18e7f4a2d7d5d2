package localvault

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// octets is a byte string that travels as base64url without padding
// (RFC 7515 section 2).
type octets []byte

// MarshalText returns the base64url form.
func (o octets) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, o), nil
}

// UnmarshalText accepts the canonical base64url form only.
func (o *octets) UnmarshalText(text []byte) error {
	b, err := base64.RawURLEncoding.Strict().AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("base64url: %w", err)
	}
	*o = b
	return nil
}

// jwk is the public form of a key (RFC 7517). It has no private member, so
// that no answer can leak one.
type jwk struct {
	Kid string   `json:"kid,omitempty"`
	Kty string   `json:"kty"`
	Ops []string `json:"key_ops,omitempty"`
	N   octets   `json:"n,omitempty"`
	E   octets   `json:"e,omitempty"`
	Crv string   `json:"crv,omitempty"`
	X   octets   `json:"x,omitempty"`
	Y   octets   `json:"y,omitempty"`
}

// privateJWK is what an import request and a sealed backup carry. The members dp, dq and qi
// follow from the others and are not read.
type privateJWK struct {
	jwk
	D   octets `json:"d"`
	P   octets `json:"p"`
	Q   octets `json:"q"`
	K   octets `json:"k"`
	HSM octets `json:"key_hsm"`
}

// parse turns an imported JWK into a private key.
func (j privateJWK) parse() (material, error) {
	if len(j.HSM) > 0 {
		return nil, badParameter("key_hsm", "transfer blobs are not supported")
	}
	switch base, _ := strings.CutSuffix(j.Kty, "-HSM"); base {
	case "RSA":
		return parseRSA(j)
	case "EC":
		return parseEC(j)
	case "oct":
		return parseOct(j)
	default:
		return nil, badParameter("kty", fmt.Sprintf("key type %q is not supported", j.Kty))
	}
}
