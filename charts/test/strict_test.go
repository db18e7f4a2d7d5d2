package test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yannh/kubeconform/pkg/resource"
	"github.com/yannh/kubeconform/pkg/validator"
)

// conformance returns what kubeconform has against an object; empty: nothing.
// Its schemas are those of the folder, and a kind without one is a fault.
func conformance(t *testing.T, o object) string {
	t.Helper()
	kubeconform, err := validator.New([]string{"schemas/{{.ResourceKind}}{{.KindSuffix}}.json"}, validator.Opts{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	result := kubeconform.ValidateResource(resource.Resource{Bytes: data})
	if result.Status == validator.Valid {
		return ""
	}
	return fmt.Sprint(result.Err)
}

// TestObjectsAreThoseOfTheirKinds: no field that the API server does not know,
// and no value of another type.
func TestObjectsAreThoseOfTheirKinds(t *testing.T) {
	t.Parallel()
	kinds := map[string]bool{}
	for name, values := range cases(t) {
		for _, o := range objects(t, release{"mill", values}) {
			kinds[o.kind()] = true
			if fault := conformance(t, o); fault != "" {
				t.Errorf("%s: %s: %s", name, o.id(), fault)
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
		"of another type":   func(o object) { o["metadata"] = 1 },
		"a field of spec":   func(o object) { o.spec()["surplus"] = 1 },
		"no spec of a kind": func(o object) { o["spec"] = "none" },
		"of no known kind":  func(o object) { o["kind"] = "Mill" },
	}
	for _, o := range objects(t, release{"mill", cases(t)["everything"]}) {
		for fault, spoil := range faults {
			if strings.Contains(fault, "spec") && o["spec"] == nil {
				continue
			}
			broken := copied(t, o)
			spoil(broken)
			if conformance(t, broken) == "" {
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
