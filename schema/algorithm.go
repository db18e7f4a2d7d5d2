package schema

import "crypto"

// Algorithm names a signature algorithm as JOSE (RFC 7518, section 3.1;
// RFC 8812 for ES256K) and Key Vault do. A decoded Job only ever holds one of
// the constants below; the zero value is not an algorithm.
type Algorithm string

// The algorithms that a job may name.
const (
	RS256  Algorithm = "RS256"  // RSASSA-PKCS1-v1_5 with SHA-256
	RS384  Algorithm = "RS384"  // RSASSA-PKCS1-v1_5 with SHA-384
	RS512  Algorithm = "RS512"  // RSASSA-PKCS1-v1_5 with SHA-512
	PS256  Algorithm = "PS256"  // RSASSA-PSS with SHA-256, salt of 32 bytes
	PS384  Algorithm = "PS384"  // RSASSA-PSS with SHA-384, salt of 48 bytes
	PS512  Algorithm = "PS512"  // RSASSA-PSS with SHA-512, salt of 64 bytes
	ES256  Algorithm = "ES256"  // ECDSA on P-256 with SHA-256
	ES384  Algorithm = "ES384"  // ECDSA on P-384 with SHA-384
	ES512  Algorithm = "ES512"  // ECDSA on P-521 with SHA-512
	ES256K Algorithm = "ES256K" // ECDSA on secp256k1 (P-256K) with SHA-256
)

// Family is the kind of key that an algorithm needs.
type Family int

// The families. The zero value belongs to no known algorithm.
const (
	PKCS1 Family = iota + 1 // RSA key, RSASSA-PKCS1-v1_5 padding
	PSS                     // RSA key, RSASSA-PSS padding, salt as long as the hash
	ECDSA                   // elliptic curve key, curve fixed by the algorithm
)

// Algorithms lists all algorithms in the order of their documentation.
func Algorithms() []Algorithm {
	return []Algorithm{RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, ES256K}
}

// Known reports whether a is one of the constants.
func (a Algorithm) Known() bool { return a.Family() != 0 }

// Family returns the kind of key that a needs, or 0 for an unknown algorithm.
func (a Algorithm) Family() Family {
	switch a {
	case RS256, RS384, RS512:
		return PKCS1
	case PS256, PS384, PS512:
		return PSS
	case ES256, ES384, ES512, ES256K:
		return ECDSA
	}
	return 0
}

// Hash returns the hash whose digest a signs, or 0 for an unknown algorithm.
func (a Algorithm) Hash() crypto.Hash {
	switch a {
	case RS256, PS256, ES256, ES256K:
		return crypto.SHA256
	case RS384, PS384, ES384:
		return crypto.SHA384
	case RS512, PS512, ES512:
		return crypto.SHA512
	}
	return 0
}

// Curve returns the JWK name of the curve that a needs ("P-256", "P-384",
// "P-521", "P-256K"), or "" when a is not ECDSA.
func (a Algorithm) Curve() string {
	switch a {
	case ES256:
		return "P-256"
	case ES384:
		return "P-384"
	case ES512:
		return "P-521"
	case ES256K:
		return "P-256K"
	}
	return ""
}
