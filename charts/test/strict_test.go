package test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaOf returns the schema of an object's kind, under the name that
// kubeconform gives it.
func schemaOf(t *testing.T, o object) *jsonschema.Schema {
	t.Helper()
	group, version, grouped := strings.Cut(o.text("apiVersion"), "/")
	suffix := group
	if grouped {
		first, _, _ := strings.Cut(group, ".")
		suffix = first + "-" + version
	}
	s, err := jsonschema.NewCompiler().Compile(filepath.Join("schemas", strings.ToLower(o.kind())+"-"+suffix+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plain returns an object as JSON has it.
func plain(t *testing.T, o object) any {
	t.Helper()
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestObjectsAreThoseOfTheirKinds: no field that the API server does not know,
// and no value of another type.
func TestObjectsAreThoseOfTheirKinds(t *testing.T) {
	t.Parallel()
	kinds := map[string]bool{}
	for name, values := range cases(t) {
		for _, o := range objects(t, release{"mill", values}) {
			kinds[o.kind()] = true
			if err := schemaOf(t, o).Validate(plain(t, o)); err != nil {
				t.Errorf("%s: %s: %v", name, o.id(), err)
			}
		}
	}
	schemas, err := filepath.Glob("schemas/*.json")
	if err != nil || len(schemas) != len(kinds) {
		t.Errorf("got %d schemas and error %v, want one for each of %d kinds that the sets of values make", len(schemas), err, len(kinds))
	}
}

// TestSchemasAreStrict: each refuses a field more, and a field of another type.
func TestSchemasAreStrict(t *testing.T) {
	t.Parallel()
	faults := map[string]func(o object){
		"a field more":      func(o object) { o["surplus"] = 1 },
		"of another type":   func(o object) { o["kind"] = 1 },
		"a field of spec":   func(o object) { o.spec()["surplus"] = 1 },
		"no spec of a kind": func(o object) { o["spec"] = "none" },
	}
	for _, o := range objects(t, release{"mill", cases(t)["everything"]}) {
		for fault, spoil := range faults {
			if strings.Contains(fault, "spec") && o["spec"] == nil {
				continue
			}
			broken := copied(t, o)
			spoil(broken)
			if schemaOf(t, o).Validate(plain(t, broken)) == nil {
				t.Errorf("%s: %s is taken", o.id(), fault)
			}
		}
	}
}

func (o object) spec() map[string]any { s, _ := o["spec"].(map[string]any); return s }

// copied returns an object that shares nothing with o.
func copied(t *testing.T, o object) (c object) {
	t.Helper()
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestNoNameStandsTwice: a server-side apply refuses lists with a name twice.
func TestNoNameStandsTwice(t *testing.T) {
	t.Parallel()
	for name, values := range cases(t) {
		container := containerOf(t, objects(t, release{"mill", values}))
		seen := map[string]bool{}
		for _, e := range container.Env {
			if seen[e.Name] {
				t.Errorf("%s: the variable %s stands twice", name, e.Name)
			}
			seen[e.Name] = true
		}
	}
}
