package campaign

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/files"
)

// plan is the checked list of files to sign. The list lies in a temporary
// file, so that its length costs no memory; 16 bytes remain of each path.
type plan struct {
	spool *os.File
	files int // how many are to be signed
	kept  int // how many are left out because they are signed already
}

// path marks: what a path is to a plan.
const (
	isInput     = 1 << iota // a file to sign
	isSignature             // where a signature will be written
	isKept                  // signed already, and unchanged
	isReplaced              // signed by an earlier run, and changed since
)

// pathSet holds marks of paths without holding the paths.
type pathSet map[[16]byte]uint8

// add puts a mark on a path and returns all that it had before.
func (p pathSet) add(path string, mark uint8) (before uint8) {
	key := files.PathKey(path)
	before = p[key]
	p[key] = before | mark
	return before
}

func (p pathSet) has(path string, mark uint8) bool { return p[files.PathKey(path)]&mark != 0 }

// maxFaults bounds how many faulty files are told of at once.
const maxFaults = 10

// makePlan checks every file before the first is signed: it is there, and its
// signature has a place of its own. Marks carries what an earlier run did.
func makePlan(s files.Sources, to Layout, marks pathSet) (*plan, error) {
	spool, err := os.CreateTemp("", "signmill-plan-*")
	if err != nil {
		return nil, fmt.Errorf("list of files: %w", display.Error(err))
	}
	os.Remove(spool.Name()) //nolint:errcheck // where the system allows it, not even a crash leaves the file behind
	p := &plan{spool: spool}
	if err := p.fill(s, to, marks); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *plan) fill(s files.Sources, to Layout, marks pathSet) error {
	w := bufio.NewWriter(p.spool)
	var faults faultList
	for path, err := range s.Each() {
		var bad *files.BadFile
		switch {
		case errors.As(err, &bad):
			faults.add(bad)
			continue
		case err != nil:
			return err
		case marks.has(path, isKept):
			p.kept++
			continue
		}
		if err := to.check(path, marks); err != nil {
			faults.add(err)
			continue
		}
		p.files++
		if _, err := w.WriteString(path + "\x00"); err != nil {
			return fmt.Errorf("list of files: %w", display.Error(err))
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("list of files: %w", display.Error(err))
	}
	return faults.err()
}

// paths yields the files of the plan. It may be used once.
func (p *plan) paths() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if _, err := p.spool.Seek(0, io.SeekStart); err != nil {
			yield("", fmt.Errorf("list of files: %w", display.Error(err)))
			return
		}
		for name, err := range (files.Sources{From: "-", NUL: true, Stdin: p.spool}).Names() {
			if !yield(name, err) {
				return
			}
		}
	}
}

// Close removes the temporary file.
func (p *plan) close() {
	p.spool.Close()           //nolint:errcheck // it goes away
	os.Remove(p.spool.Name()) //nolint:errcheck // a temporary file
}

// faultList keeps the first faults and counts the rest.
type faultList struct {
	first []error
	more  int
}

func (f *faultList) add(err error) {
	if len(f.first) == maxFaults {
		f.more++
		return
	}
	f.first = append(f.first, err)
}

// err returns nil when there are no faults.
func (f *faultList) err() error {
	if len(f.first) == 0 {
		return nil
	}
	var text strings.Builder
	text.WriteString("nothing was signed:")
	for _, err := range f.first {
		text.WriteString("\n  " + err.Error())
	}
	if f.more > 0 {
		fmt.Fprintf(&text, "\n  and %d more", f.more)
	}
	return errors.New(text.String())
}
