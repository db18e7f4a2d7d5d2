package manifest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/schema"
)

// Reader reads a manifest entry by entry.
type Reader struct {
	Head
	Name    string
	partial bool // the file may end early: its campaign was killed
	f       *os.File
	d       *json.Decoder
}

// Open opens a manifest and reads its head. Partial allows the file to end early.
func Open(name string, partial bool) (*Reader, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, display.Error(err)
	}
	m := &Reader{Name: name, partial: partial, f: f, d: json.NewDecoder(bufio.NewReader(f))}
	if err := m.head(); err != nil {
		f.Close() //nolint:errcheck // only read
		return nil, fmt.Errorf("%s is no manifest of signmill: %w", display.OneLine(name), display.Error(err))
	}
	return m, nil
}

// head reads up to the first entry.
func (m *Reader) head() error {
	if err := m.expect(json.Delim('{')); err != nil {
		return err
	}
	fields := map[string]any{"schema": &m.Schema, "run": &m.Run, "key": &m.Key, "algorithm": &m.Algorithm}
	for {
		name, err := m.d.Token()
		if err != nil {
			return err
		}
		if name == "files" {
			break
		}
		field, known := fields[fmt.Sprint(name)]
		if !known {
			return fmt.Errorf("field %q is unknown", name)
		}
		if err := m.d.Decode(field); err != nil {
			return err
		}
	}
	if m.Schema != version {
		return fmt.Errorf("its schema is %q, not %q", m.Schema, version)
	}
	if !slices.Contains(schema.PublicKeySignatures(), m.Algorithm) {
		return fmt.Errorf("its algorithm %q is unknown", m.Algorithm)
	}
	return m.expect(json.Delim('['))
}

func (m *Reader) expect(want json.Token) error {
	got, err := m.d.Token()
	if err == nil && got != want {
		err = fmt.Errorf("%v instead of %v", got, want)
	}
	return err
}

// Entries yields the entries, with paths that this process can use. An error
// ends it. It may be used once.
func (m *Reader) Entries() iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for m.d.More() {
			var e Entry
			if err := m.d.Decode(&e); err != nil {
				if !m.partial {
					yield(Entry{}, m.fault(err))
				}
				return
			}
			if !yield(e.at(filepath.Dir(m.Name)), nil) {
				return
			}
		}
		if err := m.end(); err != nil && !m.partial {
			yield(Entry{}, m.fault(err))
		}
	}
}

// end reads what follows the last entry.
func (m *Reader) end() error {
	for _, want := range []json.Token{json.Delim(']'), "summary"} {
		if err := m.expect(want); err != nil {
			return err
		}
	}
	var c Counts
	if err := m.d.Decode(&c); err != nil {
		return err
	}
	if err := m.expect(json.Delim('}')); err != nil {
		return err
	}
	if _, err := m.d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows its end")
	}
	return nil
}

// fault names the manifest in an error.
func (m *Reader) fault(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("it is cut off: %w", io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("%s: %w", display.OneLine(m.Name), display.Error(err))
}

// Close closes the file.
func (m *Reader) Close() { m.f.Close() } //nolint:errcheck // only read
