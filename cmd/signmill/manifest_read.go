package main

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

// manifestReader reads a manifest entry by entry.
type manifestReader struct {
	manifestHead
	name    string
	partial bool // the file may end early: its campaign was killed
	f       *os.File
	d       *json.Decoder
}

// openManifest opens a manifest and reads its head.
func openManifest(name string, partial bool) (*manifestReader, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, display.Error(err)
	}
	m := &manifestReader{name: name, partial: partial, f: f, d: json.NewDecoder(bufio.NewReader(f))}
	if err := m.head(); err != nil {
		f.Close() //nolint:errcheck // only read
		return nil, fmt.Errorf("%s is no manifest of signmill: %w", display.OneLine(name), display.Error(err))
	}
	return m, nil
}

// head reads up to the first entry.
func (m *manifestReader) head() error {
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
	if m.Schema != manifestVersion {
		return fmt.Errorf("its schema is %q, not %q", m.Schema, manifestVersion)
	}
	if !slices.Contains(schema.PublicKeySignatures(), m.Algorithm) {
		return fmt.Errorf("its algorithm %q is unknown", m.Algorithm)
	}
	return m.expect(json.Delim('['))
}

func (m *manifestReader) expect(want json.Token) error {
	got, err := m.d.Token()
	if err == nil && got != want {
		err = fmt.Errorf("%v instead of %v", got, want)
	}
	return err
}

// entries yields the entries, with paths that this process can use.
func (m *manifestReader) entries() iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		for m.d.More() {
			var e entry
			if err := m.d.Decode(&e); err != nil {
				if !m.partial {
					yield(entry{}, m.fault(err))
				}
				return
			}
			if !yield(e.at(filepath.Dir(m.name)), nil) {
				return
			}
		}
		if err := m.end(); err != nil && !m.partial {
			yield(entry{}, m.fault(err))
		}
	}
}

// end reads what follows the last entry.
func (m *manifestReader) end() error {
	for _, want := range []json.Token{json.Delim(']'), "summary"} {
		if err := m.expect(want); err != nil {
			return err
		}
	}
	var c counts
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
func (m *manifestReader) fault(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("it is cut off: %w", io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("%s: %w", display.OneLine(m.name), display.Error(err))
}

// Close closes the file.
func (m *manifestReader) Close() { m.f.Close() } //nolint:errcheck // only read
