package schema

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// seed adds the files that match the patterns.
func seed(f *testing.F, patterns ...string) {
	f.Helper()
	for _, pattern := range patterns {
		files, _ := filepath.Glob(pattern)
		if len(files) == 0 {
			f.Fatalf("no files match %s", pattern)
		}
		for _, name := range files {
			f.Add(readFile(f, name))
		}
	}
}

// FuzzDecode checks that no document panics, that a refused one has a clean
// message and an answer, and that an accepted one is accepted by the schema,
// survives a round trip, and has a worst-case result within the limit.
func FuzzDecode(f *testing.F) {
	seed(f, "examples/job-*.json", "testdata/good/*.json", "testdata/bad/*.json")
	js, rs := compile(f, JobSchema()), compile(f, ResultSchema())
	f.Fuzz(func(t *testing.T, doc []byte) {
		j, err := Decode(doc, Limits{})
		if err != nil {
			bad := err.(*Invalid)
			if _, err := bad.Result().Encode(0); err != nil || bad.Message != clean(bad.Message) {
				t.Fatalf("got %q, want a clean message; answer: %v", bad.Message, err)
			}
			return
		}
		if err := schemaSays(js, doc); err != nil {
			t.Fatalf("schema: %v", err)
		}
		checkRoundTrip(t, js, j)
		r := resultOf(j, func(i int) bool { return i%2 == 0 })
		written, err := r.Encode(0)
		if err != nil || len(written) > j.MaxResultBytes() {
			t.Fatalf("result: %d bytes, %v; want at most %d", len(written), err, j.MaxResultBytes())
		}
		if err := schemaSays(rs, written); err != nil {
			t.Fatalf("schema of the result: %v", err)
		}
	})
}

// FuzzDecodeResult checks that no document panics and that an accepted one is
// accepted by the schema and survives a round trip.
func FuzzDecodeResult(f *testing.F) {
	seed(f, "examples/result-*.json")
	f.Add([]byte(goodResult))
	f.Add([]byte(doneResult))
	for _, e := range slices.Concat(edits(), doneEdits()) {
		f.Add([]byte(strings.Replace(goodResult, e.old, e.new, 1)))
		f.Add([]byte(strings.Replace(doneResult, e.old, e.new, 1)))
	}
	rs := compile(f, ResultSchema())
	f.Fuzz(func(t *testing.T, doc []byte) {
		r, err := DecodeResult(doc)
		if err != nil {
			if bad := err.(*Invalid); bad.Message != clean(bad.Message) {
				t.Fatalf("got %q, want a clean message", bad.Message)
			}
			return
		}
		if err := schemaSays(rs, doc); err != nil {
			t.Fatalf("schema: %v", err)
		}
		written, err := r.Encode(1 << 30)
		if err != nil {
			t.Fatalf("encode: %v", err)
		}
		back, err := DecodeResult(written)
		if err != nil || !reflect.DeepEqual(back, r) {
			t.Fatalf("got %+v, %v\nwant %+v", back, err, r)
		}
	})
}
