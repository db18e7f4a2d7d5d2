package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
)

// tempPrefix begins the name of a file that is not finished.
const tempPrefix = ".signmill-"

// Permissions of what is written.
const (
	ForAll   = 0o644
	ForOwner = 0o600
)

// Pending is written in full but does not bear its name yet.
type Pending struct{ temp, name string }

// Prepare writes content beside name under a temporary name, and makes the
// directories on the way.
func Prepare(name string, content []byte, mode os.FileMode) (*Pending, error) {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, display.Error(err)
	}
	f, err := os.CreateTemp(dir, tempPrefix+"*")
	if err != nil {
		return nil, display.Error(err)
	}
	p := &Pending{temp: f.Name(), name: name}
	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(mode)
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		p.Discard()
		return nil, fmt.Errorf("write %s: %w", display.OneLine(name), display.Error(err))
	}
	return p, nil
}

// Publish gives the file its name, in one step.
func (p *Pending) Publish() error {
	err := os.Rename(p.temp, p.name)
	if err != nil {
		p.Discard()
	}
	return display.Error(err)
}

// Discard removes the file.
func (p *Pending) Discard() {
	os.Remove(p.temp) //nolint:errcheck // a temporary file
}

// Write writes a whole file or nothing, over what is there.
func Write(name string, content []byte, mode os.FileMode) error {
	p, err := Prepare(name, content, mode)
	if err != nil {
		return err
	}
	return p.Publish()
}

// Exists reports whether there is anything at path. Below a file there is not.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR)
}

// Free refuses to overwrite, unless that is asked for.
func Free(name string, force bool) error {
	if !force && Exists(name) {
		return fmt.Errorf("%s exists: --force overwrites it", display.OneLine(name))
	}
	return nil
}

// WriteSecret writes a whole file or nothing, for the owner alone. Without
// force it never replaces a file, not even one that has just come to be, where
// the file system knows links.
func WriteSecret(name string, content []byte, force bool) error {
	p, err := Prepare(name, content, ForOwner)
	if err != nil {
		return err
	}
	if !force {
		defer p.Discard()
		if err := os.Link(p.temp, p.name); err == nil {
			return nil
		}
		// The file is there, or the file system knows no links.
		if err := Free(name, false); err != nil {
			return err
		}
	}
	return p.Publish()
}
