package schema

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// badJob is one document of testdata/bad and what Decode says of it.
type badJob struct {
	name  string
	code  Code
	field string
}

// compile returns a schema with its formats asserted.
func compile(t testing.TB, doc []byte) *jsonschema.Schema {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("mem:schema", value); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("mem:schema")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// resultSchemaOnce returns the schema of a result, compiled once for all tests.
func resultSchemaOnce(t testing.TB) *jsonschema.Schema {
	compiled.Do(func() { compiled.schema = compile(t, ResultSchema()) })
	return compiled.schema
}

var compiled struct {
	sync.Once
	schema *jsonschema.Schema
}

// schemaSays validates a document, which may not be JSON.
func schemaSays(s *jsonschema.Schema, doc []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		return err
	}
	return s.Validate(value)
}

func TestGoodJobs(t *testing.T) {
	t.Parallel()
	js := compile(t, JobSchema())
	files, _ := filepath.Glob("testdata/good/*.json")
	examples, _ := filepath.Glob("examples/job-*.json")
	if len(files) < 100 {
		t.Fatalf("got %d good jobs, want at least 100", len(files))
	}
	for _, name := range slices.Concat(files, examples) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			doc := readFile(t, name)
			if err := schemaSays(js, doc); err != nil {
				t.Errorf("schema: %v", err)
			}
			j, err := Decode(doc, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			checkRoundTrip(t, js, j)
		})
	}
}

func TestBadJobs(t *testing.T) {
	t.Parallel()
	js := compile(t, JobSchema())
	files, _ := filepath.Glob("testdata/bad/*.json")
	cases := slices.Concat(badJobs(), badOperations())
	if len(files) != len(cases) {
		t.Errorf("got %d files, want %d as in the table", len(files), len(cases))
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			doc := readFile(t, filepath.Join("testdata/bad", c.name+".json"))
			bad := decodeBad(t, doc, Limits{})
			if bad.Code != c.code || bad.Field != c.field {
				t.Errorf("got %s at %q (%s), want %s at %q", bad.Code, bad.Field, bad.Message, c.code, c.field)
			}
			checkMessage(t, bad)
			accepts := schemaSays(js, doc) == nil
			if want := slices.Contains(beyondSchema(), c.name); accepts != want {
				t.Errorf("schema accepts: got %t, want %t", accepts, want)
			}
		})
	}
}

// TestSchemaNamesTheFault looks for the field of each fault in what a schema
// validator says: it is where the validator stands, or what it misses there.
func TestSchemaNamesTheFault(t *testing.T) {
	t.Parallel()
	js := compile(t, JobSchema())
	for _, c := range badOperations() {
		err := schemaSays(js, readFile(t, filepath.Join("testdata/bad", c.name+".json")))
		if err == nil && slices.Contains(beyondSchema(), c.name) {
			continue
		}
		parent, last := path.Split(c.field)
		at, in, member := "at '"+c.field+"'", "at '"+strings.TrimSuffix(parent, "/")+"'", "'"+last+"'"
		if text := fmt.Sprint(err); !strings.Contains(text, at) && (!strings.Contains(text, in) || !strings.Contains(text, member)) {
			t.Errorf("%s: got %v, want %s in it", c.name, err, c.field)
		}
	}
}

// decodeBad returns the fault of a document that must have one.
func decodeBad(t testing.TB, doc []byte, l Limits) *Invalid {
	t.Helper()
	j, err := Decode(doc, l)
	var bad *Invalid
	if !errors.As(err, &bad) {
		t.Fatalf("got %+v, %v; want an *Invalid", j, err)
	}
	return bad
}

// checkMessage checks what holds for the texts of every fault.
func checkMessage(t testing.TB, bad *Invalid) {
	t.Helper()
	if bad.Field != "" && !strings.HasPrefix(bad.Message, bad.Field+": ") {
		t.Errorf("got message %q, want it to begin with the field %q", bad.Message, bad.Field)
	}
	if bad.Message == "" || len(bad.Message) > MaxMessage || bad.Message != clean(bad.Message) {
		t.Errorf("got message %q, want one clean line of 1 to %d bytes", bad.Message, MaxMessage)
	}
	if doc, err := bad.Result().Encode(0); err != nil {
		t.Errorf("answer: %v", err)
	} else if err := schemaSays(resultSchemaOnce(t), doc); err != nil {
		t.Errorf("schema of the answer: %v", err)
	}
}
