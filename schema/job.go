package schema

import "time"

// JobVersion is the value of a job's "schema" field.
const JobVersion = "signmill.job/v1"

// Job is one message on the job queue: one operation with one key and one
// algorithm over 1 to N items. A Job that came from Decode is valid; a Job
// that a producer fills in is checked by Encode.
type Job struct {
	ID        string            // 1 to 128 characters; the identity of the job for ever
	Operation Operation         // what to do with each item
	Key       string            // alias from the worker's policy; in local mode a key name; never a URL
	Algorithm Algorithm         // one of Operation.Algorithms; empty for getPublicKey
	Format    SignatureFormat   // form of the signatures, for sign and verify; Decode fills in JOSE when absent; else empty
	NotAfter  time.Time         // the result is useless after this instant; zero: no limit
	Labels    map[string]string // echoed in the result; nil when absent
	Items     []Item            // at least one, ids unique within the job
}

// Item is one input of a job. Which fields it has depends on the operation:
//
//	sign                Digest
//	verify              Digest, Signature
//	encrypt             Plaintext; IV and AAD where the algorithm takes them
//	decrypt             Ciphertext; IV, AAD and Tag where the algorithm takes them
//	wrapKey             Plaintext, the key to wrap
//	unwrapKey           Ciphertext, the wrapped key
//	getPublicKey        nothing
type Item struct {
	ID string // 1 to 128 characters, unique in the job

	// Digest is the hash to sign or to verify, exactly as long as the job's
	// algorithm asks. When the document carried data instead, Decode has
	// hashed it.
	Digest []byte

	// FromData tells that the document carried data, which Decode has hashed,
	// so that the worker has seen what is signed. Encode does not read it.
	FromData bool

	Signature  []byte // to verify, in the job's SignatureFormat: at most 512 bytes for RSA, else MaxSignatureToVerify
	Plaintext  Secret // to encrypt or to wrap: at least 1 byte; for RSA at most 501 (RSA1_5), 470 (RSA-OAEP) or 446 (RSA-OAEP-256)
	Ciphertext []byte // to decrypt or to unwrap: at least 1 byte; for RSA at most 512
	IV         []byte // initialization vector: 16 bytes for AES-CBC, 12 to decrypt AES-GCM, which makes its own to encrypt
	AAD        []byte // additional authenticated data of AES-GCM; nil: none
	Tag        []byte // authentication tag of AES-GCM, 16 bytes, to decrypt
}

// SignatureFormat is the form of the signatures that a result of sign and the
// items of verify hold. It matters for ECDSA only: signatures of RSA and HMAC
// have one form.
type SignatureFormat string

// The formats that a job may ask for.
const (
	JOSE SignatureFormat = "jose" // r || s, each padded to the width of the curve (RFC 7518, section 3.4)
	DER  SignatureFormat = "der"  // ASN.1 SEQUENCE of r and s (RFC 3279, section 2.2.3), as OpenSSL and X.509 use
)
