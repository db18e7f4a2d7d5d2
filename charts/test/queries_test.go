package test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// queries returns all that the chart asks of Prometheus, by who asks.
func queries(t *testing.T) map[string]string {
	t.Helper()
	asked := map[string]string{}
	for _, a := range alerts(t, cases(t)["everything"]) {
		asked["the alert "+a.text("alert")] = a.text("expr")
	}
	for _, trigger := range only(t, objects(t, release{"mill", cases(t)["everything"]}), "ScaledObject").at("spec", "triggers").([]any) {
		if o := object(trigger.(map[string]any)); o.text("type") == "prometheus" {
			asked["the trigger "+o.text("name")] = o.text("metadata", "query")
		}
	}
	data, err := os.ReadFile(chartDir + "/files/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ RefID, Expr string }
		}
	}
	if err := json.Unmarshal(data, &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			asked["the panel "+p.Title+" "+target.RefID] = strings.ReplaceAll(target.Expr, "$__rate_interval", "5m")
		}
	}
	return asked
}

// given are labels that Prometheus adds when it scrapes, and that of histograms.
var given = []string{model.MetricNameLabel, "namespace", "exported_namespace", "pod", "le"}

// TestQueries: Prometheus can read them, and the metrics and labels that they
// name are in metrics.golden, which a test of signmill holds against the
// metrics that there are.
func TestQueries(t *testing.T) {
	t.Parallel()
	named := map[string]map[string]bool{}
	asked := queries(t)
	for who, query := range asked {
		e, err := parser.NewParser(parser.Options{}).ParseExpr(query)
		if err != nil {
			t.Errorf("%s: %v in %s", who, err, query)
			continue
		}
		note(e, named)
	}
	if len(asked) < 20 || len(named) == 0 {
		t.Errorf("got %d queries for %d metrics: most were not found", len(asked), len(named))
	}
	var lines strings.Builder
	for _, metric := range slices.Sorted(maps.Keys(named)) {
		lines.WriteString(strings.Join(append([]string{metric}, slices.Sorted(maps.Keys(named[metric]))...), " ") + "\n")
	}
	golden(t, "metrics.golden", []byte(lines.String()))
}

// note notes the metrics of an expression with the labels that it selects or
// groups them by.
func note(e parser.Expr, named map[string]map[string]bool) {
	parser.Inspect(e, func(node parser.Node, path []parser.Node) error {
		s, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		if named[s.Name] == nil {
			named[s.Name] = map[string]bool{}
		}
		for _, m := range s.LabelMatchers {
			if !slices.Contains(given, m.Name) {
				named[s.Name][m.Name+"="+m.Value] = true
			}
		}
		for _, above := range path {
			if a, ok := above.(*parser.AggregateExpr); ok {
				for _, label := range a.Grouping {
					if !slices.Contains(given, label) {
						named[s.Name][label] = true
					}
				}
			}
		}
		return nil
	})
}

// TestQueriesAreOfOneRelease: an alert about one release is never another's.
func TestQueriesAreOfOneRelease(t *testing.T) {
	t.Parallel()
	for who, query := range queries(t) {
		if strings.HasPrefix(who, "the panel ") {
			continue // it asks which
		}
		e, err := parser.NewParser(parser.Options{}).ParseExpr(query)
		if err != nil {
			t.Errorf("%s: %v", who, err)
			continue
		}
		for _, selector := range parser.ExtractSelectors(e) {
			if !bound(selector) {
				t.Errorf("%s: %v takes others' series, too", who, selector)
			}
		}
	}
}

// bound says whether matchers take the series of the release mill in the
// namespace signing, and not those of another.
func bound(matchers []*labels.Matcher) bool {
	place, name := false, false
	for _, m := range matchers {
		switch m.Name {
		case "namespace", "exported_namespace":
			place = m.Matches("signing") && !m.Matches("signing-2")
		case "pod":
			name = m.Matches("mill-signmill-5d4f8c7b9-x2x4z") && !m.Matches("grinder-signmill-5d4f8c7b9-x2x4z") &&
				!m.Matches("mill-signmill-other-5d4f8c7b9-x2x4z")
		case "deployment", "scaledObject":
			name = m.Matches("mill-signmill")
		}
	}
	return place && name
}
