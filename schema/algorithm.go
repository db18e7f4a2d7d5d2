package schema

import "crypto"

// Algorithm names an algorithm as JOSE (RFC 7518; RFC 8812 for ES256K) and Key
// Vault do. A decoded Job only ever holds one of the constants below; the zero
// value is not an algorithm.
type Algorithm string

// The algorithms of sign and verify. Those with HMAC need a symmetric key,
// which only a Managed HSM or the premium tier has.
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
	HS256  Algorithm = "HS256"  // HMAC with SHA-256
	HS384  Algorithm = "HS384"  // HMAC with SHA-384
	HS512  Algorithm = "HS512"  // HMAC with SHA-512
)

// The algorithms of encrypt and decrypt, and of wrapKey and unwrapKey. RSA
// takes one block and no label. AES needs a symmetric key of the size that the
// algorithm names.
const (
	RSA15      Algorithm = "RSA1_5"       // RSAES-PKCS1-v1_5
	RSAOAEP    Algorithm = "RSA-OAEP"     // RSAES-OAEP with SHA-1 and MGF1 with SHA-1
	RSAOAEP256 Algorithm = "RSA-OAEP-256" // RSAES-OAEP with SHA-256 and MGF1 with SHA-256
	A128GCM    Algorithm = "A128GCM"      // AES-GCM; the vault makes the iv of 12 bytes; tag of 16 bytes
	A192GCM    Algorithm = "A192GCM"
	A256GCM    Algorithm = "A256GCM"
	A128CBC    Algorithm = "A128CBC" // AES-CBC without padding: whole blocks of 16 bytes; not authenticated
	A192CBC    Algorithm = "A192CBC"
	A256CBC    Algorithm = "A256CBC"
	A128CBCPAD Algorithm = "A128CBCPAD" // AES-CBC with PKCS #7 padding; not authenticated
	A192CBCPAD Algorithm = "A192CBCPAD"
	A256CBCPAD Algorithm = "A256CBCPAD"
	A128KW     Algorithm = "A128KW" // AES key wrap (RFC 3394): 16 bytes or more, in whole blocks of 8
	A192KW     Algorithm = "A192KW"
	A256KW     Algorithm = "A256KW"
)

// Family is a group of algorithms that differ in hash, curve or key size only.
type Family int

// The families. The zero value belongs to no known algorithm.
const (
	PKCS1  Family = iota + 1 // RSA key, RSASSA-PKCS1-v1_5 padding
	PSS                      // RSA key, RSASSA-PSS padding, salt as long as the hash
	ECDSA                    // elliptic curve key, curve fixed by the algorithm
	HMAC                     // symmetric key
	RSAES                    // RSA key, RSAES-PKCS1-v1_5 padding
	OAEP                     // RSA key, RSAES-OAEP padding
	AESGCM                   // symmetric key, authenticated
	AESCBC                   // symmetric key, not authenticated
	AESKW                    // symmetric key, key wrap
)

// Algorithms lists all algorithms in the order of their documentation.
func Algorithms() []Algorithm {
	return []Algorithm{
		RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, ES256K, HS256, HS384, HS512,
		RSA15, RSAOAEP, RSAOAEP256, A128GCM, A192GCM, A256GCM,
		A128CBC, A192CBC, A256CBC, A128CBCPAD, A192CBCPAD, A256CBCPAD, A128KW, A192KW, A256KW,
	}
}

// PublicKeySignatures lists the signature algorithms that anyone with the
// public key can verify.
func PublicKeySignatures() []Algorithm { return algorithmsOf(PKCS1, PSS, ECDSA) }

// Known reports whether a is one of the constants.
func (a Algorithm) Known() bool { return a.Family() != 0 }

// Family returns the family of a, or 0 for an unknown algorithm.
func (a Algorithm) Family() Family {
	switch a {
	case RS256, RS384, RS512:
		return PKCS1
	case PS256, PS384, PS512:
		return PSS
	case ES256, ES384, ES512, ES256K:
		return ECDSA
	case HS256, HS384, HS512:
		return HMAC
	case RSA15:
		return RSAES
	case RSAOAEP, RSAOAEP256:
		return OAEP
	case A128GCM, A192GCM, A256GCM:
		return AESGCM
	case A128CBC, A192CBC, A256CBC, A128CBCPAD, A192CBCPAD, A256CBCPAD:
		return AESCBC
	case A128KW, A192KW, A256KW:
		return AESKW
	}
	return 0
}

// Symmetric reports whether a needs a symmetric key, whose operations all run
// in the vault.
func (a Algorithm) Symmetric() bool {
	switch a.Family() {
	case HMAC, AESGCM, AESCBC, AESKW:
		return true
	}
	return false
}

// Hash returns the hash whose digest a signs, or the hash of OAEP; 0 for any
// other algorithm.
func (a Algorithm) Hash() crypto.Hash {
	switch a {
	case RSAOAEP:
		return crypto.SHA1
	case RS256, PS256, ES256, ES256K, HS256, RSAOAEP256:
		return crypto.SHA256
	case RS384, PS384, ES384, HS384:
		return crypto.SHA384
	case RS512, PS512, ES512, HS512:
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
