package main

import (
	"errors"
	"fmt"
	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// tempPrefix begins the name of a file that is not finished.
const tempPrefix = ".signmill-"

// Permissions of what is written.
const (
	forAll   = 0o644
	forOwner = 0o600
)

// pendingFile is written in full but does not bear its name yet.
type pendingFile struct{ temp, name string }

// prepareFile writes content beside name under a temporary name, and makes the
// directories on the way.
func prepareFile(name string, content []byte, mode os.FileMode) (*pendingFile, error) {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, display.Error(err)
	}
	f, err := os.CreateTemp(dir, tempPrefix+"*")
	if err != nil {
		return nil, display.Error(err)
	}
	p := &pendingFile{temp: f.Name(), name: name}
	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(mode)
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		p.discard()
		return nil, fmt.Errorf("write %s: %w", display.OneLine(name), display.Error(err))
	}
	return p, nil
}

// publish gives the file its name, in one step.
func (p *pendingFile) publish() error {
	err := os.Rename(p.temp, p.name)
	if err != nil {
		p.discard()
	}
	return display.Error(err)
}

// discard removes the file.
func (p *pendingFile) discard() {
	os.Remove(p.temp) //nolint:errcheck // a temporary file
}

// writeFile writes a whole file or nothing.
func writeFile(name string, content []byte) error {
	return writeFileMode(name, content, forAll)
}

// writeFileMode is writeFile with permissions.
func writeFileMode(name string, content []byte, mode os.FileMode) error {
	p, err := prepareFile(name, content, mode)
	if err != nil {
		return err
	}
	return p.publish()
}

// exists reports whether there is anything at path. Below a file there is not.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR)
}
