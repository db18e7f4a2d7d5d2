package test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/v2/lint"
)

// TestSnapshots: what each set of values makes is known, the notes too.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	sets := cases(t)
	for name, values := range sets {
		files, err := render(t, release{"mill", values})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		golden(t, filepath.Join("testdata", name+".notes.txt"), []byte(files["NOTES.txt"]))
		delete(files, "NOTES.txt")
		var all bytes.Buffer
		for _, file := range slices.Sorted(maps.Keys(files)) {
			all.WriteString("---\n# " + file + "\n" + strings.TrimSpace(files[file]) + "\n")
		}
		golden(t, filepath.Join("testdata", name+".yaml"), all.Bytes())
	}
	for _, file := range left(t, sets) {
		t.Errorf("testdata/%s belongs to no set of values", file)
	}
}

// left returns the golden files without a set of values.
func left(t *testing.T, sets map[string]map[string]any) (files []string) {
	t.Helper()
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		set, _, _ := strings.Cut(e.Name(), ".")
		if _, ok := sets[set]; !ok {
			files = append(files, e.Name())
		}
	}
	return files
}

// TestLint: Helm has nothing to say about the chart, with any set of values.
func TestLint(t *testing.T) {
	t.Parallel()
	for name, values := range cases(t) {
		result := lint.RunAll(chartDir, values, "signing")
		for _, m := range result.Messages {
			if m.Error() != "[INFO] Chart.yaml: icon is recommended" {
				t.Errorf("%s: %v", name, m)
			}
		}
	}
}
