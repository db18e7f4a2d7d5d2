package schema

// ResultVersion is the value of a result's "schema" field.
const ResultVersion = "signmill.result/v1"

// Result is one message on the reply queue: the outcome of one job.
type Result struct {
	ID     string            // the job's id; empty only when the job's id could not be read
	Status Status            // outcome over all items
	KID    string            // full versioned key identifier that signed; empty when nothing was signed
	Labels map[string]string // as in the job
	Error  *Error            // set only when the job could not be decoded, and Items is then empty
	Items  []ItemResult      // one for each item of the job, in the order of the job
}

// ItemResult is the outcome of one item: a signature or an error, never both.
type ItemResult struct {
	ID        string // the item's id
	Signature []byte // in the job's SignatureFormat; nil when Error is set
	Error     *Error // nil when the item was signed
}

// Status sums up a result.
type Status string

// The outcomes of a job.
const (
	Succeeded Status = "succeeded" // every item has a signature
	Partial   Status = "partial"   // at least one item has a signature and at least one has an error
	Failed    Status = "failed"    // no item has a signature
)

// Error says why an item or a whole job has no signature.
type Error struct {
	Code      Code   // from the fixed list
	Message   string // for people: what was wrong, and what to do; holds no secret
	Retryable bool   // the same job, sent again later under a new id, may succeed
}

// Error returns the code and the message.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }
