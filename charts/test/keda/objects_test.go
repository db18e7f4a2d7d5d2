package keda

import (
	"os"
	"strings"
	"testing"

	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"sigs.k8s.io/yaml"
)

// snapshot reads the objects of a kind that a set of values makes.
func snapshot[T any](t *testing.T, set, kind string) (all []T) {
	t.Helper()
	data, err := os.ReadFile("../testdata/" + set + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range strings.Split(string(data), "\n---\n") {
		if !strings.Contains(text, "\nkind: "+kind+"\n") {
			continue
		}
		var o T
		if err := yaml.UnmarshalStrict([]byte(text), &o); err != nil {
			t.Fatalf("%s: %s: %v", set, kind, err)
		}
		all = append(all, o)
	}
	return all
}

// scaledObject returns the ScaledObject of a set of values.
func scaledObject(t *testing.T, set string) *kedav1alpha1.ScaledObject {
	t.Helper()
	all := snapshot[kedav1alpha1.ScaledObject](t, set, "ScaledObject")
	if len(all) != 1 {
		t.Fatalf("%s: got %d ScaledObjects, want 1", set, len(all))
	}
	return &all[0]
}

// TestObjectsAreKEDAs: what KEDA's own types and rules for replicas and fallback
// say to each ScaledObject.
func TestObjectsAreKEDAs(t *testing.T) {
	t.Parallel()
	for _, set := range []string{"identity", "secret", "everything"} {
		so := scaledObject(t, set)
		if err := kedav1alpha1.CheckReplicaCountBoundsAreValid(so); err != nil {
			t.Errorf("%s: %v", set, err)
		}
		if err := kedav1alpha1.CheckFallbackValid(so); err != nil {
			t.Errorf("%s: %v", set, err)
		}
		authentications := snapshot[kedav1alpha1.TriggerAuthentication](t, set, "TriggerAuthentication")
		for _, trigger := range so.Spec.Triggers {
			if trigger.AuthenticationRef != nil && (len(authentications) != 1 || trigger.AuthenticationRef.Name != authentications[0].Name) {
				t.Errorf("%s: the trigger %s authenticates with %s, which is not there", set, trigger.Name, trigger.AuthenticationRef.Name)
			}
		}
	}
}
