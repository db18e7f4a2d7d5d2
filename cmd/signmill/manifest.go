package main

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

// manifestVersion is the value of a manifest's "schema" field.
const manifestVersion = "signmill.manifest/v1"

// partialSuffix is at the end of a manifest's name while a campaign runs.
const partialSuffix = ".partial"

// manifestHead begins a manifest. The files follow, one in each line, and then
// a summary.
type manifestHead struct {
	Schema    string           `json:"schema"`
	Run       string           `json:"run"` // begins the ids of the campaign's jobs; stays when it is resumed
	Key       string           `json:"key"`
	Algorithm schema.Algorithm `json:"algorithm"`
}

// manifestWriter writes a manifest entry by entry. The file has its final name
// only once it is complete. It may be used from several goroutines.
type manifestWriter struct {
	name string
	dir  string

	mu    sync.Mutex // guards the fields below
	f     *os.File
	w     *bufio.Writer
	first bool // no entry yet
}

// createManifest begins a manifest. Only one campaign at a time can hold the
// partial file.
func createManifest(name string, head manifestHead, force bool) (*manifestWriter, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, display.Error(err)
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(name+partialSuffix, flags, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s exists: another run is under way, or one was killed and --resume carries it on", display.OneLine(name+partialSuffix))
	}
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", display.Error(err))
	}
	m := &manifestWriter{name: name, dir: filepath.Dir(name), f: f, w: bufio.NewWriter(f), first: true}
	return m, m.begin(head)
}

func (m *manifestWriter) begin(head manifestHead) error {
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	m.w.Write(append(text[:len(text)-1], `,"files":[`...)) //nolint:errcheck // Flush tells
	return m.w.Flush()
}

// add writes entries and hands them to the operating system, so that they
// outlive this process.
func (m *manifestWriter) add(entries ...entry) error {
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

// finish completes the manifest and gives the file its name.
func (m *manifestWriter) finish(c counts) error {
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
	return display.Error(os.Rename(m.name+partialSuffix, m.name))
}

// discard removes a manifest that came to nothing.
func (m *manifestWriter) discard() {
	m.f.Close()                       //nolint:errcheck // it goes away
	os.Remove(m.name + partialSuffix) //nolint:errcheck // the next run says that it is there
}
