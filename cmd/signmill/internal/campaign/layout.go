package campaign

import (
	"fmt"
	"path/filepath"
	"unicode/utf8"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/files"
	"github.com/signmill/signmill/cmd/signmill/internal/manifest"
)

// Layout says where a campaign writes, and what it may overwrite.
type Layout struct {
	Dir    string // for everything; "": signatures beside the files, the rest in the current directory
	Key    string // in the name of the public key
	Force  bool   // overwrite anything
	Resume bool   // carry on an earlier campaign: its manifest and public key may be there
}

// Signature returns where the signature of a file goes. Below Dir it keeps the
// file's relative path.
func (l Layout) Signature(file string) (string, error) {
	if l.Dir == "" {
		return file + files.SignatureSuffix, nil
	}
	if !filepath.IsLocal(file) {
		return "", fmt.Errorf("%s lies outside the current directory: with --out, start signmill in the directory that holds the files", display.OneLine(file))
	}
	return filepath.Join(l.Dir, file) + files.SignatureSuffix, nil
}

// Manifest returns where the manifest goes.
func (l Layout) Manifest() string { return filepath.Join(l.Dir, files.ManifestName) }

// publicKey returns where the public key goes. A second version of the key, met
// after a rotation, has a suffix.
func (l Layout) publicKey(suffix string) string {
	return filepath.Join(l.Dir, "signmill-"+l.Key+suffix+".pem")
}

// check refuses a file whose signature has no place of its own, and marks both.
func (l Layout) check(file string, marks pathSet) error {
	if !utf8.ValidString(file) {
		return fmt.Errorf("the name %s is not UTF-8, and a manifest could not hold it: rename the file", display.OneLine(file))
	}
	sig, err := l.Signature(file)
	if err != nil {
		return err
	}
	if marks.add(file, isInput)&isInput != 0 {
		return fmt.Errorf("%s is listed twice", display.OneLine(file))
	}
	if marks.add(sig, isSignature) != 0 || marks.has(file, isSignature) {
		return fmt.Errorf("%s: %s would be written over another file of this run", display.OneLine(file), display.OneLine(sig))
	}
	if !l.Force && !marks.has(file, isReplaced) && files.Exists(sig) {
		return fmt.Errorf("%s exists: --force overwrites it, --resume keeps what is signed already", display.OneLine(sig))
	}
	return nil
}

// checkOwn refuses to overwrite what an earlier campaign left.
func (l Layout) checkOwn() error {
	if l.Force || l.Resume {
		return nil
	}
	var faults faultList
	for _, name := range []string{l.Manifest(), l.Manifest() + manifest.PartialSuffix, l.publicKey("")} {
		if files.Exists(name) {
			faults.add(fmt.Errorf("%s exists: --resume carries on, --force starts over, --out DIR writes elsewhere", display.OneLine(name)))
		}
	}
	return faults.err()
}
