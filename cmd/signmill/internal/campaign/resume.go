package campaign

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/files"
	"github.com/signmill/signmill/cmd/signmill/internal/manifest"
	"github.com/signmill/signmill/cmd/signmill/internal/verify"
)

// interruptedSuffix is at the end of the name of a partial manifest whose
// signing was killed, until its entries are in the next one.
const interruptedSuffix = ".interrupted"

// earlier is what earlier campaigns left: a manifest, a partial one, both, or
// nothing.
type earlier struct {
	layout    Layout
	manifests []*manifest.Reader
}

// openEarlier finds what is to be resumed. The manifests must agree with head;
// its Run becomes theirs.
func openEarlier(l Layout, head *manifest.Head) (*earlier, error) {
	e := &earlier{layout: l}
	if err := e.rescue(); err != nil {
		return nil, err
	}
	for _, suffix := range []string{"", interruptedSuffix} {
		m, err := manifest.Open(l.Manifest()+suffix, suffix != "")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			e.close()
			return nil, err
		}
		e.manifests = append(e.manifests, m)
		if m.Key != head.Key || m.Algorithm != head.Algorithm {
			e.close()
			return nil, &OtherKey{m.Name, m.Head}
		}
		head.Run = m.Run
	}
	return e, nil
}

// OtherKey is the error of a manifest that is to be resumed with another key or
// algorithm.
type OtherKey struct {
	name string // of the manifest
	manifest.Head
}

// Error implements error.
func (o *OtherKey) Error() string {
	return fmt.Sprintf("%s is of key %s with %s: resume with the same --key and --alg, or use another --out", display.OneLine(o.name), o.Key, o.Algorithm)
}

// rescue moves the partial manifest of a killed campaign out of the way. When
// one lies there already, the campaign was killed before it had taken over
// everything from there, and had nothing of its own; nor has an empty one.
func (e *earlier) rescue() error {
	partial, interrupted := e.layout.Manifest()+manifest.PartialSuffix, e.layout.Manifest()+interruptedSuffix
	info, err := os.Lstat(partial)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if files.Exists(interrupted) || err == nil && info.Size() == 0 {
		return display.Error(os.Remove(partial))
	}
	return display.Error(os.Rename(partial, interrupted))
}

// carry copies the entries that still hold into the new manifest, and marks
// their files as kept and the other ones as replaceable.
func (e *earlier) carry(ctx context.Context, to *manifest.Writer, marks pathSet) error {
	defer e.close()
	for _, m := range e.manifests {
		for f, err := range verify.All(ctx, verify.Manifest(m, nil)) {
			if err = errors.Join(err, ctx.Err()); err != nil {
				return fmt.Errorf("resume: %w", err)
			}
			if err := keep(f, to, marks); err != nil {
				return err
			}
		}
	}
	err := os.Remove(e.layout.Manifest() + interruptedSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// keep takes over one entry, if its signature verifies.
func keep(f verify.Finding, to *manifest.Writer, marks pathSet) error {
	if f.Err != nil {
		marks.add(f.File, isReplaced)
		return nil
	}
	if marks.add(f.File, isKept)&isKept != 0 {
		return nil
	}
	return to.Add(f.Entry)
}

func (e *earlier) close() {
	for _, m := range e.manifests {
		m.Close()
	}
}
