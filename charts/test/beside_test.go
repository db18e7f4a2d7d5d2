package test

import (
	"fmt"
	"reflect"
	"testing"
)

// TestTwoReleasesSideBySide: in one namespace, with the same values, no object
// of one is the other's, and no selector of one finds the other's pods.
func TestTwoReleasesSideBySide(t *testing.T) {
	t.Parallel()
	for name, values := range cases(t) {
		one, two := objects(t, release{"mill", values}), objects(t, release{"grinder", values})
		ids := map[string]bool{}
		for _, o := range one {
			ids[o.id()] = true
		}
		for _, o := range two {
			if ids[o.id()] {
				t.Errorf("%s: both have %s", name, o.id())
			}
		}
		pods := podOf(t, two).Labels
		for _, o := range one {
			for _, selector := range selectors(o) {
				if selects(selector, pods) {
					t.Errorf("%s: %s of one selects the other's pods", name, o.id())
				}
			}
		}
	}
}

// selectors returns the selectors of an object.
func selectors(o object) (all []map[string]any) {
	for _, path := range [][]string{{"spec", "selector", "matchLabels"}, {"spec", "podSelector", "matchLabels"}, {"spec", "selector"}} {
		if m, ok := o.at(path...).(map[string]any); ok && m["matchLabels"] == nil {
			all = append(all, m)
		}
	}
	return all
}

func selects(selector map[string]any, labels map[string]string) bool {
	for name, value := range selector {
		if labels[name] != fmt.Sprint(value) {
			return false
		}
	}
	return true
}

// TestObjectsFindTheirOwn: each selector finds the pods of its release, and all
// labels of the workload's kind are the same.
func TestObjectsFindTheirOwn(t *testing.T) {
	t.Parallel()
	for name, values := range cases(t) {
		all := objects(t, release{"mill", values})
		pods, found := podOf(t, all).Labels, 0
		for _, o := range all {
			for _, selector := range selectors(o) {
				found++
				if !selects(selector, pods) {
					t.Errorf("%s: %s does not select the release's pods", name, o.id())
				}
			}
			if got := o.at("metadata", "labels", "app.kubernetes.io/instance"); !reflect.DeepEqual(got, "mill") {
				t.Errorf("%s: %s has the instance %v, want mill", name, o.id(), got)
			}
		}
		if found == 0 {
			t.Errorf("%s: no selector was found", name)
		}
	}
}
