package test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestReadme: the tables of values and alerts are those of the chart.
func TestReadme(t *testing.T) {
	t.Parallel()
	file := chartDir + "/README.md"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := between(t, string(data), "values", valueTable(t))
	text = between(t, text, "alerts", alertTable(t))
	golden(t, file, []byte(text))
}

// between puts a table between the marks of a name.
func between(t *testing.T, text, name, table string) string {
	t.Helper()
	from, to := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->"
	before, rest, ok := strings.Cut(text, from)
	_, after, ended := strings.Cut(rest, to)
	if !ok || !ended {
		t.Fatalf("the README has no %s…%s", from, to)
	}
	return before + from + table + to + after
}

// valueTable makes a table of values.yaml: what a comment begins with "# --".
func valueTable(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(chartDir + "/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	table := "| value | default | meaning |\n|---|---|---|\n"
	for _, row := range rows(t, document.Content[0], "") {
		table += row
	}
	return table
}

// rows makes a row of each value that has a comment, and looks below those that
// have none.
func rows(t *testing.T, node *yaml.Node, prefix string) (all []string) {
	t.Helper()
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		_, about, ok := strings.Cut(name.HeadComment, "# -- ")
		switch {
		case ok:
			all = append(all, fmt.Sprintf("| `%s%s` | `%s` | %s |\n", prefix, name.Value, compact(t, value), strings.ReplaceAll(about, "|", `\|`)))
		case value.Kind == yaml.MappingNode && len(value.Content) > 0:
			all = append(all, rows(t, value, prefix+name.Value+".")...)
		default:
			t.Errorf("values.yaml:%d: %s%s has no comment that begins with # --", name.Line, prefix, name.Value)
		}
	}
	return all
}

func compact(t *testing.T, node *yaml.Node) string {
	t.Helper()
	var v any
	if err := node.Decode(&v); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// alertTable makes a table of the alerts, and a paragraph for each that says what
// it means and what to do. An alert without them is a fault.
func alertTable(t *testing.T) string {
	t.Helper()
	table, runbook := "| alert | severity | for | what is wrong |\n|---|---|---|---|\n", ""
	for _, a := range alerts(t, cases(t)["everything"]) {
		name := a.text("alert")
		table += fmt.Sprintf("| [`%s`](#%s) | %s | %s | %s |\n", name, strings.ToLower(name), a.text("labels", "severity"), a.text("for"), a.text("annotations", "summary"))
		means, do := a.text("annotations", "description"), a.text("annotations", "runbook")
		if len(means) < 40 || len(do) < 40 {
			t.Errorf("%s: got %q and %q, want what it means and what to do", name, means, do)
		}
		runbook += fmt.Sprintf("\n### %s\n\n%s\n\nWhat to do: %s\n", name, means, do)
	}
	return table + runbook
}

// alerts returns the alerts of a release.
func alerts(t *testing.T, values map[string]any) (all []object) {
	t.Helper()
	rule := only(t, objects(t, release{"mill", values}), "PrometheusRule")
	for _, group := range rule.at("spec", "groups").([]any) {
		for _, a := range object(group.(map[string]any)).at("rules").([]any) {
			all = append(all, object(a.(map[string]any)))
		}
	}
	return all
}
