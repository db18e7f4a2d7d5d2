package campaign

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/files"
	"github.com/signmill/signmill/cmd/signmill/internal/manifest"
	"github.com/signmill/signmill/signer"
)

// outcome is what became of one file: its entry, and the signature if it has
// one.
type outcome struct {
	manifest.Entry
	content []byte    // of the signature's file
	by      signatory // who signed
}

// recorder writes outcomes down: signatures, public keys, manifest, and lines
// on standard output. It may be used from several goroutines.
type recorder struct {
	layout   Layout
	manifest *manifest.Writer
	progress *display.Progress
	lines    io.Writer // for --json; nil: none

	mu     sync.Mutex        // guards the fields below
	counts manifest.Counts   // of what was recorded
	pems   map[string]string // public key files, by kid
}

// record writes the outcomes of one job. A signature's file gets its name after
// its entry is safe with the operating system: a kill in between leaves an
// entry without a signature, which --resume repairs, and never the reverse.
func (r *recorder) record(outcomes []outcome) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	pending := make([]*files.Pending, 0, len(outcomes))
	entries := make([]manifest.Entry, 0, len(outcomes))
	for _, o := range outcomes {
		p, e := r.prepare(o)
		if p != nil {
			pending = append(pending, p)
		}
		entries = append(entries, e)
	}
	if err := r.manifest.Add(entries...); err != nil {
		for _, p := range pending {
			p.Discard()
		}
		return fmt.Errorf("manifest: %w", display.Error(err))
	}
	var faults []error
	for _, p := range pending {
		faults = append(faults, p.Publish())
	}
	return errors.Join(append(faults, r.tell(entries))...)
}

// Prepare writes a signature under a temporary name. If that is not possible
// the entry says so.
func (r *recorder) prepare(o outcome) (*files.Pending, manifest.Entry) {
	if o.content == nil {
		return nil, o.Entry
	}
	p, err := r.place(&o)
	if err != nil {
		o.Status, o.KID, o.Signature, o.PublicKey = manifest.Failed, "", "", ""
		o.Error = &manifest.Failure{Code: manifest.Unwritable, Message: err.Error(), Retryable: true}
		return nil, o.Entry
	}
	return p, o.Entry
}

func (r *recorder) place(o *outcome) (p *files.Pending, err error) {
	if o.PublicKey, err = r.publicKey(o.by); err != nil {
		return nil, err
	}
	if o.Signature, err = r.layout.Signature(o.Path); err != nil {
		return nil, err
	}
	return files.Prepare(o.Signature, o.content, files.ForAll)
}

// publicKey writes the public key of a version once, and returns its file.
func (r *recorder) publicKey(by signatory) (string, error) {
	if name, ok := r.pems[by.kid]; ok {
		return name, nil
	}
	text, err := signer.MarshalPEM(by.public)
	if err != nil {
		return "", err
	}
	name := r.layout.publicKey("")
	taken, err := os.ReadFile(name)
	if err == nil && !bytes.Equal(taken, text) && (len(r.pems) > 0 || !r.layout.Force) {
		name = r.layout.publicKey("-" + kidVersion(by.kid))
	}
	if err := files.Write(name, text, files.ForAll); err != nil {
		return "", err
	}
	if r.pems == nil {
		r.pems = map[string]string{}
	}
	r.pems[by.kid] = name
	return name, nil
}

// tell counts entries and shows them.
func (r *recorder) tell(entries []manifest.Entry) error {
	signed, failed := 0, 0
	for _, e := range entries {
		if e.Status == manifest.Signed {
			signed++
		} else {
			failed++
		}
		if r.lines != nil {
			if err := json.NewEncoder(r.lines).Encode(e); err != nil {
				return err
			}
		}
	}
	r.counts.Signed += signed
	r.counts.Failed += failed
	r.progress.Add(signed, failed)
	return nil
}

// total returns what was recorded up to now.
func (r *recorder) total() manifest.Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts
}
