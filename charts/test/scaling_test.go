package test

import (
	"fmt"
	"strings"
	"testing"
)

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
