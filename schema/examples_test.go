package schema

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamples reads each example and writes it again. What is written must be
// the example, without white space; for a job with data, its digests.
func TestExamples(t *testing.T) {
	files, _ := filepath.Glob("examples/*.json")
	if len(files) != 22 {
		t.Fatalf("got %d examples, want 22", len(files))
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			doc := readFile(t, name)
			got, err := rewrite(filepath.Base(name), doc)
			if err != nil {
				t.Fatal(err)
			}
			if want := goldenOf(t, name, doc); !bytes.Equal(got, want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// rewrite decodes and encodes a document of the kind that its name says.
func rewrite(name string, doc []byte) ([]byte, error) {
	if strings.HasPrefix(name, "result") {
		r, err := DecodeResult(doc)
		if err != nil {
			return nil, err
		}
		return r.Encode(0)
	}
	j, err := Decode(doc, Limits{})
	if err != nil {
		return nil, err
	}
	return j.Encode(Limits{})
}

// goldenOf returns what an example is written as: itself, or the file of the
// same name in testdata/written where the two differ on purpose.
func goldenOf(t *testing.T, name string, doc []byte) []byte {
	t.Helper()
	if golden, err := os.ReadFile(filepath.Join("testdata/written", filepath.Base(name))); err == nil {
		doc = golden
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, doc); err != nil {
		t.Fatal(err)
	}
	return compact.Bytes()
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
