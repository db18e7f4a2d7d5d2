package test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/expr-lang/expr"
)

// formula compiles the formula of a ScaledObject as KEDA 2.21 does, and returns
// how many replicas it asks for: values are those of the triggers that can be
// read, by name.
func formula(t *testing.T, scaled object) func(values map[string]any) float64 {
	t.Helper()
	names := map[string]float64{}
	for _, trigger := range scaled.at("spec", "triggers").([]any) {
		names[object(trigger.(map[string]any)).text("name")] = -1
	}
	text := scaled.text("spec", "advanced", "scalingModifiers", "formula")
	if strings.Contains(text, "??") {
		text = "let _kedaCompositeResult = (" + text + "); _kedaCompositeResult == nil ? nil : float(_kedaCompositeResult)"
	} else {
		text = "float(" + text + ")"
	}
	program, err := expr.Compile(text, expr.Env(names))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := expr.Run(program, names); err != nil {
		t.Fatalf("KEDA's try with -1 for all: %v", err)
	}
	return func(values map[string]any) float64 {
		got, err := expr.Run(program, values)
		if err != nil {
			t.Fatalf("%v: %v", values, err)
		}
		number, ok := got.(float64)
		if !ok {
			t.Fatalf("%v: got %T, want a number", values, got)
		}
		return math.Ceil(number) // as the autoscaler does, at a target of 1
	}
}

// quotaOf is a case with a quota that keeps 6 of 10 replicas busy: 10,000 units
// in 10 s, 8 for an item, and 16 items under way for 0.75 s.
const quotaOf = `
policy: {subscription: null, vaults: {prod: {quota: 10000}, spare: null}}
budget: {quota: 10000, unitsPerItem: 8, latency: 0.75}
worker: {concurrency: 16, lanes: []}
scaling: {maxReplicas: 10, messagesPerReplica: 50}
`

// TestFormula: none without messages, else one at least, as many as the
// messages need, and no more than what the vault grants keeps busy.
func TestFormula(t *testing.T) {
	t.Parallel()
	ask := formula(t, only(t, objects(t, release{"mill", with(t, "everything", quotaOf)}), "ScaledObject"))
	tests := []struct {
		name  string
		jobs  []any // of the job queue, and of the producer's; nil: cannot be read
		scale any   // nil: cannot be read
		want  float64
	}{
		{"empty", []any{0.0, 0.0}, 1.0, 0},
		{"empty, and the vault grants nothing", []any{0.0, 0.0}, 0.0, 0},
		{"one message", []any{1.0, 0.0}, 1.0, 1},
		{"small", []any{120.0, 0.0}, 1.0, 3},
		{"small, in another queue", []any{0.0, 120.0}, 1.0, 3},
		{"small, in both", []any{80.0, 40.0}, 1.0, 3},
		{"huge", []any{1e6, 1e6}, 1.0, 6},
		{"huge, and the vault grants half", []any{1e6, 0.0}, 0.5, 3},
		{"huge, and the vault grants nothing", []any{1e6, 0.0}, 0.0, 1},
		{"small, and what is granted is not known", []any{120.0, 0.0}, nil, 3},
		{"huge, and what is granted is not known", []any{1e6, 0.0}, nil, 6},
		{"a length is not known", []any{nil, 0.0}, 1.0, 6},
		{"a length is not known, and the vault grants half", []any{0.0, nil}, 0.5, 3},
		{"nothing is known", []any{nil, nil}, nil, 6},
	}
	for _, tc := range tests {
		if got := ask(map[string]any{"jobs0": tc.jobs[0], "jobs1": tc.jobs[1], "scale": tc.scale}); got != tc.want {
			t.Errorf("%s: got %v replicas, want %v", tc.name, got, tc.want)
		}
	}
}

// TestCeiling: as many replicas as the quota keeps busy, and two at least.
func TestCeiling(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, values string
		want         int
	}{
		{"software keys", "", 2},
		{"no vault with a quota of its own", "policy: {vaults: {prod: {quota: null}}}", 2},
		{"ten vaults' worth", "policy: {vaults: {prod: {quota: 40000}}}", 6},
		{"two vaults", "policy: {vaults: {prod: {quota: 20000}, more: {quota: 20000}}}", 6},
		{"a subscription's quota bounds all", "policy: {subscription: {quota: 20000}, vaults: {prod: {quota: 40000}}}", 3},
		{"and those without one", "policy: {subscription: {quota: 20000}, vaults: {prod: {quota: 0}}}", 3},
		{"the value wins over the policy", "budget: {quota: 40000}", 6},
		{"dear items need fewer replicas", "budget: {quota: 40000, unitsPerItem: 8}", 2},
		{"few at once need more", "budget: {quota: 40000}\nworker: {concurrency: 32}", 12},
		{"fewer than are of use", "budget: {quota: 40000}\nscaling: {maxReplicas: 4}", 4},
		{"more than are of use, if told", "scaling: {maxReplicas: 40, allowBeyondQuota: true}", 40},
	}
	for _, tc := range tests {
		scaled := only(t, objects(t, release{"mill", with(t, "identity", tc.values)}), "ScaledObject")
		if got := fmt.Sprint(scaled.at("spec", "maxReplicaCount")); got != fmt.Sprint(tc.want) {
			t.Errorf("%s: got %s replicas at most, want %d", tc.name, got, tc.want)
		}
	}
}

// TestFloor: KEDA 2.21 scales a busy queue to zero where the floor is 0, so that
// it is 1 unless told, and then the notes and an alert say so.
func TestFloor(t *testing.T) {
	t.Parallel()
	for floor, warned := range map[int]bool{0: true, 1: false, 2: false} {
		values := with(t, "identity", fmt.Sprintf("scaling: {minReplicas: %d}\nprometheusRule: {enabled: true}", floor))
		files, err := render(t, release{"mill", values})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(files["NOTES.txt"], "WARNING"); got != warned {
			t.Errorf("a floor of %d: the notes warn: %v, want %v", floor, got, warned)
		}
		if !strings.Contains(files["prometheusrule.yaml"], "SignmillScaledToZero") {
			t.Errorf("a floor of %d: no alert tells of it", floor)
		}
	}
	scaled := only(t, objects(t, release{"mill", with(t, "identity", "")}), "ScaledObject")
	if got := fmt.Sprint(scaled.at("spec", "minReplicaCount")); got != "1" {
		t.Errorf("the floor is %s unless told, want 1", got)
	}
}

// TestEachQueueScales: that of jobs, those of lanes and those of producers.
func TestEachQueueScales(t *testing.T) {
	t.Parallel()
	scaled := only(t, objects(t, release{"mill", cases(t)["everything"]}), "ScaledObject")
	var got []string
	for _, trigger := range scaled.at("spec", "triggers").([]any) {
		if queue := object(trigger.(map[string]any)).text("metadata", "queueName"); queue != "" {
			got = append(got, queue)
		}
	}
	if want := "jobs jobs-urgent jobs-night jobs-billing"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// TestOneScaler: where KEDA scales, the Deployment says no number, which each
// upgrade would put back.
func TestOneScaler(t *testing.T) {
	t.Parallel()
	for name, values := range cases(t) {
		all := objects(t, release{"mill", values})
		scaled := false
		for _, o := range all {
			scaled = scaled || o.kind() == "ScaledObject"
		}
		if numbered := only(t, all, "Deployment").at("spec", "replicas") != nil; numbered == scaled {
			t.Errorf("%s: KEDA scales: %v, and the Deployment has a number: %v", name, scaled, numbered)
		}
	}
}
