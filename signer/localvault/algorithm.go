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
	curve string // empty: an RSA algorithm
}

// algorithms is constant.
var algorithms = []algorithm{
	{name: "RS256", hash: crypto.SHA256},
	{name: "RS384", hash: crypto.SHA384},
	{name: "RS512", hash: crypto.SHA512},
	{name: "PS256", hash: crypto.SHA256, pss: true},
	{name: "PS384", hash: crypto.SHA384, pss: true},
	{name: "PS512", hash: crypto.SHA512, pss: true},
	{name: "ES256", hash: crypto.SHA256, curve: "P-256"},
	{name: "ES384", hash: crypto.SHA384, curve: "P-384"},
	{name: "ES512", hash: crypto.SHA512, curve: "P-521"},
	{name: "ES256K", hash: crypto.SHA256, curve: "P-256K"},
}

// pick finds the algorithm and checks that it fits the key and the digest.
func pick(name string, key material, digest []byte) (algorithm, error) {
	i := slices.IndexFunc(algorithms, func(a algorithm) bool { return a.name == name })
	if i < 0 {
		return algorithm{}, badParameter("alg", fmt.Sprintf("algorithm %q is not supported", name))
	}
	alg := algorithms[i]
	if curve := key.class().curve; alg.curve != curve {
		return algorithm{}, badParameter("alg", fmt.Sprintf("algorithm %s does not fit the key's %s", name, kindOf(curve)))
	}
	if got, want := len(digest), alg.hash.Size(); got != want {
		return algorithm{}, badParameter("value", fmt.Sprintf("digest of %d bytes; %s needs %d", got, name, want))
	}
	return alg, nil
}

func kindOf(curve string) string {
	if curve == "" {
		return "type RSA"
	}
	return "curve " + curve
}
