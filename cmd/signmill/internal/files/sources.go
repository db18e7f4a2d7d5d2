package files

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
)

// Names of what signmill writes.
const (
	SignatureSuffix = ".sig"
	ManifestName    = "signmill-manifest.json"
)

// maxPath bounds one line of a list of files; longer than any system's paths.
const maxPath = 64 * 1024

// Sources says which files are meant.
type Sources struct {
	Files     []string  // as on the command line
	From      string    // a file that lists more of them; "-" is Stdin; "" is none
	NUL       bool      // the list is separated by NUL instead of line ends
	Recursive bool      // take what is in directories
	Stdin     io.Reader // read for From "-"
}

// Each yields the files one by one, without holding them. An error ends it.
func (s Sources) Each() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for name, err := range s.Names() {
			if err != nil {
				yield("", err)
				return
			}
			if !s.expand(name, yield) {
				return
			}
		}
	}
}

// Names yields the names from the command line, then those from the list.
func (s Sources) Names() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, name := range s.Files {
			if !yield(name, nil) {
				return
			}
		}
		if s.From != "" {
			s.listed(yield)
		}
	}
}

// listed yields the names in the list.
func (s Sources) listed(yield func(string, error) bool) {
	in := s.Stdin
	if s.From != "-" {
		f, err := os.Open(s.From)
		if err != nil {
			yield("", fmt.Errorf("list of files: %w", display.Error(err)))
			return
		}
		defer f.Close() //nolint:errcheck // only read
		in = f
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxPath)
	if s.NUL {
		lines.Split(splitNUL)
	}
	for lines.Scan() {
		if name := lines.Text(); name != "" && !yield(name, nil) {
			return
		}
	}
	if err := lines.Err(); err != nil {
		yield("", fmt.Errorf("list of files: %w", display.Error(err)))
	}
}

// splitNUL is a bufio.SplitFunc for names that end in NUL.
func splitNUL(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// expand yields a file as it is, and a directory as the regular files in it.
// It reports whether more is wanted.
func (s Sources) expand(name string, yield func(string, error) bool) bool {
	if name == "" {
		return yield("", &BadFile{errors.New("the name of a file is empty")})
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return yield("", &BadFile{display.Error(err)})
	case info.Mode().IsRegular():
		return yield(filepath.Clean(name), nil)
	case !info.IsDir():
		return yield("", &BadFile{fmt.Errorf("%s is not a regular file", display.OneLine(name))})
	case !s.Recursive:
		return yield("", &BadFile{fmt.Errorf("%s is a directory: --recursive takes the files in it", display.OneLine(name))})
	}
	return walk(name, yield)
}

// errEnough ends a walk whose reader wants no more.
var errEnough = errors.New("enough")

// walk yields the regular files below a directory, except what signmill wrote.
// Symbolic links are not followed.
func walk(root string, yield func(string, error) bool) bool {
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err == nil && (!d.Type().IsRegular() || isOutput(d.Name())) {
			return nil
		}
		if err != nil {
			err = &BadFile{display.Error(err)}
		}
		if !yield(name, err) {
			return errEnough
		}
		return nil
	})
	return err == nil
}

// BadFile is an error of one file among many.
type BadFile struct{ err error }

// Error implements error.
func (b *BadFile) Error() string { return b.err.Error() }

// Unwrap returns the cause.
func (b *BadFile) Unwrap() error { return b.err }

// isOutput reports whether a file's name is one that signmill gives.
func isOutput(name string) bool {
	return strings.HasSuffix(name, SignatureSuffix) || strings.HasPrefix(name, tempPrefix) ||
		strings.HasPrefix(name, "signmill-") && (strings.HasSuffix(name, ".pem") || strings.HasPrefix(name, ManifestName))
}

// PathKey is the same for all spellings of a path.
func PathKey(path string) [16]byte {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	sum := sha256.Sum256([]byte(path))
	return [16]byte(sum[:])
}
