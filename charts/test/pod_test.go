package test

import (
	"encoding/json"
	"reflect"
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
	containers := podOf(t, all).Spec.Containers
	if containers[0].Name != "signmill" {
		t.Fatalf("the first container is %s, want signmill", containers[0].Name)
	}
	return containers[0]
}

// doctorOf returns the pod that helm test runs.
func doctorOf(t *testing.T, all []object) (doctor corev1.PodTemplateSpec) {
	t.Helper()
	data, err := json.Marshal(only(t, all, "Pod"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &doctor); err != nil {
		t.Fatal(err)
	}
	return doctor
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
		if got := forbidden(t, doctorOf(t, objects(t, release{"mill", values}))); got != "" {
			t.Errorf("%s: the doctor: %s", name, got)
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

// TestDoctor: helm test asks the doctor with all that the worker has, and no
// selector takes its pod for a worker: it would get a part of the quota.
func TestDoctor(t *testing.T) {
	t.Parallel()
	for name, values := range cases(t) {
		all := objects(t, release{"mill", values})
		doctor, worker := doctorOf(t, all), containerOf(t, all)
		c := doctor.Spec.Containers[0]
		if c.Args[0] != "doctor" || !reflect.DeepEqual(c.Args[1:], worker.Args[1:]) || c.Image != worker.Image {
			t.Errorf("%s: the doctor is asked %v, want what the worker is told: %v", name, c.Args, worker.Args)
		}
		if !reflect.DeepEqual(c.Env, worker.Env) || !reflect.DeepEqual(c.EnvFrom, worker.EnvFrom) || !reflect.DeepEqual(c.VolumeMounts, worker.VolumeMounts) {
			t.Errorf("%s: the doctor has another environment or other volumes than the worker", name)
		}
		if doctor.Annotations["helm.sh/hook"] != "test" || doctor.Spec.ServiceAccountName != podOf(t, all).Spec.ServiceAccountName {
			t.Errorf("%s: the doctor is not helm test's, or somebody else than the worker", name)
		}
		for _, o := range all {
			for _, selector := range selectors(o) {
				if selects(selector, doctor.Labels) {
					t.Errorf("%s: %s takes the doctor for a worker", name, o.id())
				}
			}
		}
	}
}

// TestTimeToEnd: jobs under way get as long as one attempt may take unless told,
// and pods 10 s more for the last words, which is what the worker is told.
func TestTimeToEnd(t *testing.T) {
	t.Parallel()
	tests := []struct {
		values string
		want   int64
	}{
		{"", 310},
		{"jobTimeout: 90s", 100},
		{"jobTimeout: 1h2m3s", 3733},
		{"jobTimeout: 1.5s", 12},
		{"jobTimeout: 300ms", 11},
		{"drainSeconds: 1", 11},
		{"drainSeconds: 25, jobTimeout: 90s", 35},
		{"drainSeconds: 3600", 3610},
	}
	for _, tc := range tests {
		all := objects(t, release{"mill", with(t, "identity", "worker: {"+tc.values+"}")})
		grace := *podOf(t, all).Spec.TerminationGracePeriodSeconds
		if grace != tc.want {
			t.Errorf("%s: pods get %d s, want %d", tc.values, grace, tc.want)
		}
		told, _ := argument(containerOf(t, all), "grace-period")
		drain, _ := argument(containerOf(t, all), "drain-timeout")
		if told != strconv.FormatInt(grace, 10)+"s" || drain != strconv.FormatInt(grace-10, 10)+"s" {
			t.Errorf("%s: pods get %d s, and the worker is told %s, with %s for jobs", tc.values, grace, told, drain)
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
