package schema

// Code is a word from the fixed vocabulary of failures. It appears as the code
// of an Error in a result and as the reason of a dead-lettered message. New
// codes may be added in a minor version; none changes its meaning.
type Code string

// Codes of a job that cannot be decoded. Such a message is dead-lettered with
// the code as reason, and answered where its id can be read.
const (
	CodeNotJSON            Code = "not_json"            // the body is not one JSON object in UTF-8
	CodeUnsupportedVersion Code = "unsupported_version" // "schema" names no version that this worker knows
	CodeInvalidJob         Code = "invalid_job"         // a field is missing, unknown, repeated, or out of its limits
	CodeTooLarge           Code = "too_large"           // the job, its item count, or its worst-case result is over a limit
)

// Codes of a valid job that is refused or fails for good. It is answered and
// completed.
const (
	CodeKeyNotAllowed       Code = "key_not_allowed"       // no policy entry allows this alias, operation and algorithm
	CodeReplyNotAllowed     Code = "reply_not_allowed"     // ReplyTo names a queue that is not on the worker's list
	CodeExpired             Code = "expired"               // notAfter had passed before the item was done
	CodeKeyNotFound         Code = "key_not_found"         // the vault has no such key or version
	CodeAlgorithmNotFitting Code = "algorithm_not_fitting" // the algorithm does not fit the key's type or curve, or the size of the input
	CodeKeyUnusable         Code = "key_unusable"          // disabled, not yet valid, expired, or key_ops lacks the operation
	CodeForbidden           Code = "forbidden"             // the worker's identity may not use the key
	CodeVaultRejected       Code = "vault_rejected"        // the vault refused the request as malformed, or could not decrypt the input
)

// Codes of failures that may pass. They reach a result only when the job's
// deadline or its delivery attempts are used up.
const (
	CodeThrottled   Code = "throttled"   // the vault's quota is used up
	CodeUnavailable Code = "unavailable" // the vault did not answer, or answered 5xx
)

// Codes that ask for an operator.
const (
	CodeIntegrity         Code = "integrity"          // the vault returned a signature that does not verify, or an answer of another key, version or algorithm; it was thrown away
	CodeAttemptsExhausted Code = "attempts_exhausted" // the job was delivered too often without an outcome
	CodeInternal          Code = "internal"           // a defect in the worker
)

// Codes lists all codes in the order of their documentation.
func Codes() []Code {
	return []Code{
		CodeNotJSON, CodeUnsupportedVersion, CodeInvalidJob, CodeTooLarge,
		CodeKeyNotAllowed, CodeReplyNotAllowed, CodeExpired, CodeKeyNotFound,
		CodeAlgorithmNotFitting, CodeKeyUnusable, CodeForbidden, CodeVaultRejected,
		CodeThrottled, CodeUnavailable,
		CodeIntegrity, CodeAttemptsExhausted, CodeInternal,
	}
}

// DeadLetterReasons lists the codes that a worker gives to dead letters, in the
// order of their documentation. The broker has reasons of its own.
func DeadLetterReasons() []Code {
	return []Code{CodeNotJSON, CodeUnsupportedVersion, CodeInvalidJob, CodeTooLarge, CodeAttemptsExhausted}
}
