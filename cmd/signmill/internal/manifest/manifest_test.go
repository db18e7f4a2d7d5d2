package manifest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/signmill/signmill/schema"
)

var testHead = Head{Run: "r", Key: "k", Algorithm: schema.ES256}

// readAll returns what a manifest holds.
func readAll(t *testing.T, name string, partial bool) ([]Entry, error) {
	t.Helper()
	m, err := Open(name, partial)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	var all []Entry
	for e, err := range m.Entries() {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}

func TestManifestRoundTrip(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "sub", "manifest.json")
	m, err := Create(name, testHead, false)
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{
		{Path: filepath.Join(dir, "a"), Size: 1, Algorithm: schema.ES256, Signature: filepath.Join(dir, "sub", "a.sig"), Status: Signed},
		{Path: filepath.Join(dir, "b"), Algorithm: schema.ES256, Status: Failed, Error: &Failure{Code: "c", Message: "m"}},
	}
	if err := m.Add(want...); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(name); err == nil {
		t.Error("the manifest has its name before it is complete")
	}
	if _, err := Create(name, testHead, false); err == nil || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("second writer: got error %v, want one that names --resume", err)
	}
	if err := m.Finish(Counts{}); err != nil {
		t.Fatal(err)
	}
	got, err := readAll(t, name, false)
	if err != nil {
		t.Fatal(err)
	}
	same := slices.EqualFunc(got, want, func(a, b Entry) bool {
		return a.Path == b.Path && a.Signature == b.Signature && a.Status == b.Status && a.Size == b.Size
	})
	if !same {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestManifestCutShort reads every prefix of a manifest, as a kill leaves it.
func TestManifestCutShort(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "manifest.json")
	m, err := Create(name, testHead, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Add(Entry{Path: "a"}, Entry{Path: "b"}); err != nil {
		t.Fatal(err)
	}
	if err := m.Finish(Counts{}); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	second := strings.Index(string(whole), `,`+"\n")
	first := strings.Index(string(whole), "[\n") + 1
	for cut := first; cut < strings.LastIndex(string(whole), "]"); cut++ {
		short := filepath.Join(dir, "short")
		if err := os.WriteFile(short, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readAll(t, short, true)
		if err != nil || cut >= second && len(got) == 0 {
			t.Errorf("cut at %d: got %d entries and error %v", cut, len(got), err)
		}
		if _, err := readAll(t, short, false); err == nil {
			t.Errorf("cut at %d: a whole manifest was expected, but nothing was found missing", cut)
		}
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"schema":"signmill.manifest/v1","run":"r","key":"k","algorithm":"ES256","files":[` + "\n" + `{"path":"a","size":1}` + "\n" + `],"summary":{}}`))
	f.Add([]byte(`{"schema":"signmill.manifest/v1","algorithm":"ES256","files":[{"path":1}]}`))
	f.Add([]byte(`{"files":{}}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		name := filepath.Join(dir, "manifest.json")
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		whole, strict := readAll(t, name, false)
		part, lenient := readAll(t, name, true)
		if strict == nil && (lenient != nil || len(whole) != len(part)) {
			t.Errorf("strict reading found %d entries, lenient reading %d and error %v", len(whole), len(part), lenient)
		}
	})
}
