package test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// podOf returns the template of the worker's pods.
func podOf(t *testing.T, all []object) corev1.PodTemplateSpec {
	t.Helper()
	data, err := json.Marshal(only(t, all, "Deployment"))
	if err != nil {
		t.Fatal(err)
	}
	var d appsv1.Deployment
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return d.Spec.Template
}

func containerOf(t *testing.T, all []object) corev1.Container {
	t.Helper()
	pod := podOf(t, all)
	if len(pod.Spec.Containers) != 1 {
		t.Fatalf("got %d containers, want 1", len(pod.Spec.Containers))
	}
	return pod.Spec.Containers[0]
}

// forbidden returns what Kubernetes has against a pod where namespaces are
// restricted.
func forbidden(t *testing.T, pod corev1.PodTemplateSpec) string {
	t.Helper()
	e, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	result := policy.AggregateCheckResults(e.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec))
	return result.ForbiddenDetail()
}

// TestPodsAreRestricted: the judge of the API server lets the pods in, and
// tells those that are less safe.
func TestPodsAreRestricted(t *testing.T) {
	t.Parallel()
	for name, values := range cases(t) {
		pod := podOf(t, objects(t, release{"mill", values}))
		if got := forbidden(t, pod); got != "" {
			t.Errorf("%s: %s", name, got)
		}
		pod.Spec.Containers[0].SecurityContext.Capabilities = nil
		if got := forbidden(t, pod); !strings.Contains(got, "capabilities") {
			t.Errorf("%s: with all capabilities the judge says %q", name, got)
		}
		if pod.Spec.Containers[0].SecurityContext.ReadOnlyRootFilesystem == nil || !*pod.Spec.Containers[0].SecurityContext.ReadOnlyRootFilesystem {
			t.Errorf("%s: the root can be written to", name)
		}
		if pod.Spec.AutomountServiceAccountToken == nil || *pod.Spec.AutomountServiceAccountToken {
			t.Errorf("%s: the pod can talk to the API server", name)
		}
	}
}

// argument returns the value of an argument of the worker.
func argument(c corev1.Container, name string) (string, bool) {
	for _, a := range c.Args {
		if value, ok := strings.CutPrefix(a, "--"+name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// TestTimeToEnd: pods get what the worker is told that it has, and that is more
// than it drains for.
func TestTimeToEnd(t *testing.T) {
	t.Parallel()
	for _, drain := range []int{1, 25, 3600} {
		all := objects(t, release{"mill", with(t, "identity", "worker: {drainSeconds: "+strconv.Itoa(drain)+"}")})
		pod, c := podOf(t, all), containerOf(t, all)
		grace := *pod.Spec.TerminationGracePeriodSeconds
		if told, _ := argument(c, "grace-period"); told != strconv.FormatInt(grace, 10)+"s" {
			t.Errorf("drain of %d s: pods get %d s, and the worker is told %s", drain, grace, told)
		}
		if grace < int64(drain)+5 {
			t.Errorf("drain of %d s: pods get %d s, want 5 s more at least", drain, grace)
		}
	}
}

// TestMemoryTarget: Go's collector aims below the limit, whatever its unit.
func TestMemoryTarget(t *testing.T) {
	t.Parallel()
	for limit, want := range map[string]string{"256Mi": "241591910", "1Gi": "966367641", "0.5Gi": "483183820", "1000000000": "900000000", "2G": "1800000000"} {
		c := containerOf(t, objects(t, release{"mill", with(t, "identity", "resources: {limits: {memory: "+limit+"}}")}))
		got := ""
		for _, e := range c.Env {
			if e.Name == "GOMEMLIMIT" {
				got = e.Value
			}
		}
		if got != want {
			t.Errorf("limit %s: got %s, want %s", limit, got, want)
		}
	}
}
