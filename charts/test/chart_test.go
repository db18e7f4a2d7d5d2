package test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
)

var update = flag.Bool("update", false, "write the golden files and the README's tables")

const chartDir = "../signmill"

// release is an installation of the chart.
type release struct {
	name   string
	values map[string]any
}

// object is an object of Kubernetes.
type object map[string]any

// at returns what is at a path of names; nil: nothing.
func (o object) at(path ...string) any {
	var v any = map[string]any(o)
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

func (o object) text(path ...string) string { s, _ := o.at(path...).(string); return s }

func (o object) kind() string { return o.text("kind") }

// id tells an object from all others in a cluster.
func (o object) id() string {
	return o.kind() + " " + o.text("metadata", "namespace") + "/" + o.text("metadata", "name")
}

func load(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.LoadDir(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// render returns what the templates of a release make, by file.
func render(t *testing.T, r release) (map[string]string, error) {
	t.Helper()
	c := load(t)
	options := common.ReleaseOptions{Name: r.name, Namespace: "signing", Revision: 1, IsInstall: true}
	values, err := util.ToRenderValues(c, r.values, options, nil)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, values)
	if err != nil {
		return nil, err
	}
	short := map[string]string{}
	for name, text := range files {
		if strings.TrimSpace(text) != "" {
			short[filepath.Base(name)] = text
		}
	}
	return short, nil
}

// objects returns the objects of a release, in the order of their files.
func objects(t *testing.T, r release) []object {
	t.Helper()
	files, err := render(t, r)
	if err != nil {
		t.Fatal(err)
	}
	var all []object
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if name != "NOTES.txt" {
			all = append(all, decode(t, name, files[name])...)
		}
	}
	return all
}

// decode reads the documents of a file. A field that stands twice is a fault.
func decode(t *testing.T, name, text string) []object {
	t.Helper()
	var all []object
	for d := yaml.NewDecoder(strings.NewReader(text)); ; {
		var o map[string]any // not an object: all below would be objects, too
		switch err := d.Decode(&o); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatalf("%s: %v\n%s", name, err, text)
		case o != nil:
			all = append(all, o)
		}
	}
}

// only returns the one object of a kind.
func only(t *testing.T, all []object, kind string) object {
	t.Helper()
	var found []object
	for _, o := range all {
		if o.kind() == kind {
			found = append(found, o)
		}
	}
	if len(found) != 1 {
		t.Fatalf("got %d of kind %s, want 1", len(found), kind)
	}
	return found[0]
}

// cases are the sets of values in the chart's folder ci.
func cases(t *testing.T) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob(chartDir + "/ci/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d sets of values and error %v", len(files), err)
	}
	sets := map[string]map[string]any{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sets[strings.TrimSuffix(filepath.Base(file), ".yaml")] = parse(t, string(data))
	}
	return sets
}

// parse reads values as Helm does.
func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	values, err := loader.LoadValues(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// with returns the values of a case with others over them.
func with(t *testing.T, name, others string) map[string]any {
	t.Helper()
	base, ok := cases(t)[name]
	if !ok {
		t.Fatalf("there is no case %s", name)
	}
	return loader.MergeMaps(base, parse(t, others))
}

// golden holds a text against a file, or writes it with -update.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what is made now; make chart-golden writes it anew\n%s", file, difference(string(got), string(want)))
	}
}

// difference returns the lines around the first that differs.
func difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	i := 0
	for i < min(len(g), len(w)) && g[i] == w[i] {
		i++
	}
	window := func(lines []string) string { return strings.Join(lines[min(i, len(lines)):min(i+6, len(lines))], "\n") }
	return "got from there on:\n" + window(g) + "\nwant:\n" + window(w)
}
