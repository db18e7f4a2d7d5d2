package manifest

import (
	"fmt"
	"path/filepath"

	"github.com/signmill/signmill/schema"
)

// Entry is one file in a manifest and one line of --json. Paths use slashes;
// in a manifest they are relative to its directory.
type Entry struct {
	Path      string           `json:"path"`
	Size      int64            `json:"size"`
	Digest    string           `json:"digest,omitempty"` // "sha256:" and hexadecimal digits
	Algorithm schema.Algorithm `json:"algorithm"`
	Signature string           `json:"signature,omitempty"` // file; DER for EC, raw for RSA
	KID       string           `json:"kid,omitempty"`
	PublicKey string           `json:"publicKey,omitempty"` // file; PEM
	Status    string           `json:"status"`
	Error     *Failure         `json:"error,omitempty"`
}

// Failure says why a file has no signature.
type Failure struct {
	Code      string `json:"code"` // one of schema's, or one of those below
	Message   string `json:"message"`
	Retryable bool   `json:"retryable"` // a later run with --resume may succeed
}

// Codes of failures on this side.
const (
	Unreadable = "unreadable" // the file
	Unwritable = "unwritable" // the signature's file
	BadReply   = "bad_reply"  // the reply breaks its contract
)

// The statuses of an entry.
const (
	Signed = "signed"
	Failed = "failed"
)

// Counts sums up a campaign.
type Counts struct {
	Signed      int  `json:"signed"`
	Kept        int  `json:"kept"`   // signed by an earlier run
	Failed      int  `json:"failed"` // have an entry with an error
	Left        int  `json:"left"`   // have no entry: not submitted, or unanswered
	Interrupted bool `json:"interrupted"`
}

// from returns e with its paths relative to dir, for a manifest there.
func (e Entry) from(dir string) Entry {
	e.Path, e.Signature, e.PublicKey = relative(dir, e.Path), relative(dir, e.Signature), relative(dir, e.PublicKey)
	return e
}

// at is the way back: paths of a manifest in dir as this process can use them.
func (e Entry) at(dir string) Entry {
	e.Path, e.Signature, e.PublicKey = located(dir, e.Path), located(dir, e.Signature), located(dir, e.PublicKey)
	return e
}

func relative(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return filepath.ToSlash(path)
	}
	if base, err := filepath.Abs(dir); err == nil {
		if target, err := filepath.Abs(path); err == nil {
			if rel, err := filepath.Rel(base, target); err == nil {
				path = rel
			}
		}
	}
	return filepath.ToSlash(path)
}

func located(dir, path string) string {
	path = filepath.FromSlash(path)
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// DigestText is the form of a digest in an entry.
func DigestText(a schema.Algorithm, digest []byte) string {
	return fmt.Sprintf("sha%d:%x", a.Hash().Size()*8, digest)
}
