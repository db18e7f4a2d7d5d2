package manifest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/schema"
)

// version is the value of a manifest's "schema" field.
const version = "signmill.manifest/v1"

// PartialSuffix is at the end of a manifest's name while a campaign runs.
const PartialSuffix = ".partial"

// Head begins a manifest. The files follow, one in each line, and then
// a summary.
type Head struct {
	Schema    string           `json:"schema"` // set by Create
	Run       string           `json:"run"`    // begins the ids of the campaign's jobs; stays when it is resumed
	Key       string           `json:"key"`
	Algorithm schema.Algorithm `json:"algorithm"`
}

// Writer writes a manifest entry by entry. The file has its final name
// only once it is complete. It may be used from several goroutines.
type Writer struct {
	name string
	dir  string

	mu    sync.Mutex // guards the fields below
	f     *os.File
	w     *bufio.Writer
	first bool // no entry yet
}

// Create begins a manifest. Only one campaign at a time can hold the
// partial file; force takes it over.
func Create(name string, head Head, force bool) (*Writer, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, display.Error(err)
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(name+PartialSuffix, flags, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s exists: another run is under way, or one was killed and --resume carries it on", display.OneLine(name+PartialSuffix))
	}
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", display.Error(err))
	}
	m := &Writer{name: name, dir: filepath.Dir(name), f: f, w: bufio.NewWriter(f), first: true}
	return m, m.begin(head)
}

func (m *Writer) begin(head Head) error {
	head.Schema = version
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	m.w.Write(append(text[:len(text)-1], `,"files":[`...)) //nolint:errcheck // Flush tells
	return m.w.Flush()
}

// Add writes entries and hands them to the operating system, so that they
// outlive this process.
func (m *Writer) Add(entries ...Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range entries {
		text, err := json.Marshal(e.from(m.dir))
		if err != nil {
			return err
		}
		if !m.first {
			m.w.WriteByte(',') //nolint:errcheck // Flush tells
		}
		m.first = false
		m.w.WriteByte('\n') //nolint:errcheck // Flush tells
		m.w.Write(text)     //nolint:errcheck // Flush tells
	}
	return m.w.Flush()
}

// Finish completes the manifest and gives the file its name.
func (m *Writer) Finish(c Counts) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	fmt.Fprintf(m.w, "\n],\"summary\":%s}\n", text) //nolint:errcheck // Flush tells
	for _, step := range []func() error{m.w.Flush, m.f.Sync, m.f.Close} {
		if err := step(); err != nil {
			return fmt.Errorf("manifest: %w", display.Error(err))
		}
	}
	return display.Error(os.Rename(m.name+PartialSuffix, m.name))
}

// Discard removes a manifest that came to nothing.
func (m *Writer) Discard() {
	m.f.Close()                       //nolint:errcheck // it goes away
	os.Remove(m.name + PartialSuffix) //nolint:errcheck // the next run says that it is there
}
