package schema

import (
	"crypto/sha256"
	"strconv"
)

// The functions below derive the MessageID of what signmill sends, so that
// duplicate detection on a queue shows it once, however often it is sent. The
// derivations are part of the contract and never change. Each id is ASCII and has
// at most 128 characters, the limit of Service Bus.

// ReplyID returns the MessageID of the one reply to a decoded job: "reply-"
// and the base64url (without padding) of the SHA-256 of the job id in UTF-8.
// It has 49 characters. It depends on nothing but the job id: two signatures
// of one digest differ, two replies to one job must not both be seen.
func ReplyID(jobID string) string { return "reply-" + fingerprint(jobID) }

// RefusedID returns the MessageID of the answer to a job that could not be
// decoded: "refused-" and the base64url of the SHA-256 of its body. It depends
// on the body and not on the job id, for two reasons: the id may not be
// readable, and a faulty job must not use up the ReplyID of a good one.
func RefusedID(body []byte) string { return "refused-" + fingerprint(string(body)) }

// ExhaustedID returns the MessageID of the notice that a job was dead-lettered
// because its delivery attempts were used up: "exhausted-", the base64url of
// the SHA-256 of the job id, "-" and the dead-lettered message's sequence
// number in decimal digits. It differs from ReplyID, because the dead letter may be
// replayed and then succeed, and the reply must be seen; with the sequence
// number a second exhaustion after a replay is seen as well.
func ExhaustedID(jobID string, sequenceNumber int64) string {
	return "exhausted-" + fingerprint(jobID) + "-" + strconv.FormatInt(sequenceNumber, 10)
}

// ReplayID returns the MessageID of a dead letter that is put back on its
// queue: "replay-", the base64url of the SHA-256 of the dead letter's own
// MessageID, "-" and its sequence number in decimal digits. Under its own
// MessageID it would be dropped, because the queue remembers that; under this
// one it is seen, and once, however often the same dead letter is put back. The
// job's identity is the id in its body, which stays.
func ReplayID(messageID string, sequenceNumber int64) string {
	return "replay-" + fingerprint(messageID) + "-" + strconv.FormatInt(sequenceNumber, 10)
}

// fingerprint has 43 characters.
func fingerprint(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64url.EncodeToString(sum[:])
}
