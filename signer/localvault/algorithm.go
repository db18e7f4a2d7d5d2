package localvault

import (
	"crypto"
	"fmt"
	"slices"
)

// algorithm is a row of the service's table of signature algorithms
// (RFC 7518 section 3.1, RFC 8812 section 3.2 for ES256K).
type algorithm struct {
	name  string
	hash  crypto.Hash
	pss   bool   // RSASSA-PSS instead of PKCS #1 v1.5
	kty   string // of the key: RSA, EC or oct
	curve string // of an EC key
}

// algorithms is constant.
var algorithms = []algorithm{
	{name: "RS256", kty: "RSA", hash: crypto.SHA256},
	{name: "RS384", kty: "RSA", hash: crypto.SHA384},
	{name: "RS512", kty: "RSA", hash: crypto.SHA512},
	{name: "PS256", kty: "RSA", hash: crypto.SHA256, pss: true},
	{name: "PS384", kty: "RSA", hash: crypto.SHA384, pss: true},
	{name: "PS512", kty: "RSA", hash: crypto.SHA512, pss: true},
	{name: "ES256", kty: "EC", hash: crypto.SHA256, curve: "P-256"},
	{name: "ES384", kty: "EC", hash: crypto.SHA384, curve: "P-384"},
	{name: "ES512", kty: "EC", hash: crypto.SHA512, curve: "P-521"},
	{name: "ES256K", kty: "EC", hash: crypto.SHA256, curve: "P-256K"},
	{name: "HS256", kty: "oct", hash: crypto.SHA256},
	{name: "HS384", kty: "oct", hash: crypto.SHA384},
	{name: "HS512", kty: "oct", hash: crypto.SHA512},
}

// pick finds the algorithm and checks that it fits the key and the digest.
func pick(name string, key material, digest []byte) (algorithm, error) {
	i := slices.IndexFunc(algorithms, func(a algorithm) bool { return a.name == name })
	if i < 0 {
		return algorithm{}, badParameter("alg", fmt.Sprintf("algorithm %q is not supported", name))
	}
	alg := algorithms[i]
	if class := key.class(); alg.kty != class.kty || alg.curve != class.curve {
		return algorithm{}, badParameter("alg", fmt.Sprintf("algorithm %s does not fit the key's %s", name, class))
	}
	return alg, alg.checkDigest(digest)
}

// checkDigest compares the digest's length with the hash's. An HMAC is taken of
// anything that is not empty.
func (a algorithm) checkDigest(digest []byte) error {
	got, want := len(digest), a.hash.Size()
	if a.kty == "oct" && got == 0 {
		return badParameter("value", "missing or empty")
	}
	if a.kty != "oct" && got != want {
		return badParameter("value", fmt.Sprintf("digest of %d bytes; %s needs %d", got, a.name, want))
	}
	return nil
}
