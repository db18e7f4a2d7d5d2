package worker

import (
	"context"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Audit takes down what is done with keys, and what is not. Package
// worker/audit has one that writes a file.
type Audit interface {
	// Record returns once the entry is safe. After an error, the end of ctx
	// included, it may not be: then nothing of what it tells is begun or
	// published. It may be called from any goroutine.
	Record(ctx context.Context, e AuditEntry) error
}

// AuditEvent is what an AuditEntry tells of.
type AuditEvent string

// The events.
const (
	AuditIntent     AuditEvent = "intent"      // an item is about to be done: before the vault is asked
	AuditOutcome    AuditEvent = "outcome"     // it was done, or failed: before the result is published
	AuditRefused    AuditEvent = "refused"     // a valid job may not or cannot be done: before it is answered
	AuditDeadLetter AuditEvent = "dead-letter" // a message is about to be dead-lettered
)

// AuditEntry is one thing to be taken down. It holds no plaintext, nor a hash of
// one. What is not known is empty.
type AuditEntry struct {
	Event     AuditEvent
	Job       string // id
	Item      string // id; intent and outcome only
	Alias     string // the key as the job names it
	KID       string // the version that is used
	Operation schema.Operation
	Algorithm schema.Algorithm

	// Digest is what is signed or verified; to decrypt or unwrap, the SHA-256
	// of the ciphertext; for encrypt and wrapKey it is empty.
	Digest []byte
	Made   []byte // SHA-256 of a signature or a ciphertext that was made; outcome only

	Queue    string // that the message came on
	Producer string // who sent it, as the policy knows; see Identifier
	Message  string // MessageID
	Number   int64  // sequence number of the message
	Delivery int    // which delivery of the message it is, from 1

	Calls   []signer.Call // the requests to the vault, the last ones of many; outcome only
	Outcome string        // "done", or a schema.Code; of an intent ""
	Trace   string        // trace id (W3C), 32 hex digits
}
