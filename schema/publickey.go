package schema

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The bounds of a PublicKey in bytes. An RSA key of 4096 bits with a key
// identifier of MaxKID takes about 1,300 and 800.
const (
	MaxJWK = 2048 // the JSON object, without white space
	MaxPEM = 1024
)

// pemType is the label of a SubjectPublicKeyInfo (RFC 7468, section 13).
const pemType = "PUBLIC KEY"

// secretMembers are those of a JWK that a public key must not have: the
// private ones of RFC 7518, section 6, and Key Vault's own for a protected
// import into a hardware module.
func secretMembers() []string {
	return []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "key_hsm"}
}

// compact returns k with its JWK without white space. A JWK that is not JSON
// stays as it is, for check to refuse.
func (k *PublicKey) compact() *PublicKey {
	if k == nil {
		return nil
	}
	var out bytes.Buffer
	if json.Compact(&out, k.JWK) != nil {
		return k
	}
	return &PublicKey{JWK: out.Bytes(), PEM: k.PEM}
}

// check returns the part of a compact k that is at fault and what is wrong
// with it.
func (k *PublicKey) check() (part, wrong string) {
	if k == nil {
		return "", ""
	}
	if wrong := badJWK(k.JWK); wrong != "" {
		return "jwk", wrong
	}
	return "pem", badPEM(k.PEM)
}

// badJWK says what is wrong with a JWK without white space, or returns "".
func badJWK(jwk []byte) string {
	if len(jwk) > MaxJWK {
		return fmt.Sprintf("must have at most %d bytes, has %d", MaxJWK, len(jwk))
	}
	if !json.Valid(jwk) || !utf8.Valid(jwk) || jwk[0] != '{' {
		return "must be one JSON object in UTF-8"
	}
	r := reader{data: jwk, code: CodeInternal}
	seen := map[string]bool{}
	bad := r.members(func(name []byte) *Invalid {
		field := string(name)
		switch {
		case seen[field]:
			return r.fault("must not have a member twice")
		case slices.Contains(secretMembers(), field):
			return r.fault("must hold nothing but the public half of a key")
		}
		seen[field] = true
		if field != "kty" {
			return r.skip()
		}
		kty, bad := r.text()
		if bad == nil && len(kty) == 0 {
			bad = r.fault("must name the key's type in kty")
		}
		return bad
	})
	switch {
	case bad != nil:
		return bad.Message
	case !seen["kty"]:
		return "must name the key's type in kty"
	}
	return ""
}

// badPEM says what is wrong with a text that must be one SubjectPublicKeyInfo
// in the one form that encoding/pem writes, or returns "".
func badPEM(text string) string {
	if len(text) > MaxPEM {
		return fmt.Sprintf("must have at most %d bytes, has %d", MaxPEM, len(text))
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != pemType || len(block.Bytes) == 0 || len(block.Headers) > 0 ||
		string(pem.EncodeToMemory(block)) != text {
		return "must be one block of PEM with the label " + pemType + ", in lines of 64 characters that end with a line feed (RFC 7468)"
	}
	return ""
}

// append writes a valid k.
func (k *PublicKey) append(dst []byte) []byte {
	dst = append(dst, `"publicKey":{"jwk":`...)
	dst = append(dst, k.JWK...)
	dst = append(dst, `,"pem":"`...)
	dst = append(dst, strings.ReplaceAll(k.PEM, "\n", `\n`)...)
	return append(dst, `"}`...)
}

// publicKey reads a public key.
func (r *reader) publicKey() (*PublicKey, *Invalid) {
	var k PublicKey
	fields := []string{"jwk", "pem"}
	bad := r.object(fields, 2, func(field string) (bad *Invalid) {
		if field == "jwk" {
			k.JWK, bad = r.raw()
			return bad
		}
		text, bad := r.text()
		k.PEM = string(text)
		return bad
	})
	return k.compact(), bad
}

// raw reads an object as it is. Of what it passes over, it only checks that
// it is JSON.
func (r *reader) raw() ([]byte, *Invalid) {
	if !r.next('{') {
		return nil, r.mismatch("an object")
	}
	start := r.pos
	if bad := r.skip(); bad != nil {
		return nil, bad
	}
	if !json.Valid(r.data[start:r.pos]) {
		r.pos = start
		return nil, r.syntax("the object that begins here is not JSON")
	}
	return r.data[start:r.pos], nil
}
