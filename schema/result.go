package schema

// ResultVersion is the value of a result's "schema" field.
const ResultVersion = "signmill.result/v1"

// Result is one message on the reply queue: the outcome of one job.
type Result struct {
	ID      string            // the job's id; empty only when the job's id could not be read
	Status  Status            // outcome over all items
	KID     string            // full versioned key identifier that was used; empty when nothing was done
	TraceID string            // of the W3C trace context under which the job was done: 32 lower-case hex digits, not all zero; empty when there was none
	Labels  map[string]string // as in the job
	Error   *Error            // set only when the job could not be decoded, and Items is then empty
	Items   []ItemResult      // one for each item of the job, in the order of the job
}

// ItemResult is the outcome of one item: what the operation made, or an
// error, never both.
//
//	sign                Signature
//	verify              Valid
//	encrypt             Ciphertext; IV and Tag where the algorithm makes or takes them
//	decrypt             Plaintext
//	wrapKey             Ciphertext, the wrapped key
//	unwrapKey           Plaintext, the key
//	getPublicKey        PublicKey
type ItemResult struct {
	ID         string     // the item's id
	Signature  []byte     // in the job's SignatureFormat
	Valid      *bool      // whether the signature is right; false is an outcome, not an error
	Ciphertext []byte     // what was encrypted or wrapped
	IV         []byte     // the iv that AES was used with, 12 bytes for AES-GCM, 16 for AES-CBC; only beside Ciphertext
	Tag        []byte     // the authentication tag of AES-GCM, 16 bytes; only beside IV
	Plaintext  Secret     // what was decrypted or unwrapped; empty but not nil for no bytes
	PublicKey  *PublicKey // the public half of the key
	Error      *Error     // nil when the item was done
}

// PublicKey is the public half of a key in two forms, both required. Encode
// refuses one with a private member (d, p, q, dp, dq, qi, oth, k, key_hsm).
type PublicKey struct {
	JWK []byte // one JSON object (RFC 7517; RFC 8812 for secp256k1) with kty, kid and the public members; at most MaxJWK bytes
	PEM string // SubjectPublicKeyInfo (RFC 5280, section 4.1) in PEM (RFC 7468), as encoding/pem writes it; at most MaxPEM bytes
}

// Status sums up a result.
type Status string

// The outcomes of a job.
const (
	Succeeded Status = "succeeded" // every item was done
	Partial   Status = "partial"   // at least one item was done and at least one has an error
	Failed    Status = "failed"    // no item was done
)

// Error says why an item or a whole job has no outcome.
type Error struct {
	Code      Code   // from the fixed list
	Message   string // for people: what was wrong, and what to do; holds no secret
	Retryable bool   // the same job, sent again later under a new id, may succeed
}

// Error returns the code and the message.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }
