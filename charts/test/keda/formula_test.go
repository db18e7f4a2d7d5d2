package keda

import (
	"math"
	"strconv"
	"testing"

	"github.com/go-logr/logr"
	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"github.com/kedacore/keda/v2/pkg/scaling/cache"
	"github.com/kedacore/keda/v2/pkg/scaling/modifiers"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/metrics/pkg/apis/external_metrics"
)

// formula returns how many replicas KEDA asks for by the formula of a
// ScaledObject: values are those of the triggers, nil of one that has failed
// more often than the fallback allows.
func formula(t *testing.T, so *kedav1alpha1.ScaledObject) func(values []any) float64 {
	t.Helper()
	program, err := kedav1alpha1.ValidateAndCompileScalingModifiers(so)
	if err != nil {
		t.Fatal(err)
	}
	target, err := strconv.ParseFloat(so.Spec.Advanced.ScalingModifiers.Target, 64)
	if err != nil {
		t.Fatal(err)
	}
	failed := so.Spec.Fallback.FailureThreshold + 1
	return func(values []any) float64 {
		so := so.DeepCopy()
		so.Status.Health = map[string]kedav1alpha1.HealthStatus{}
		var metrics []external_metrics.ExternalMetricValue
		triggers := map[string]string{}
		for i, trigger := range so.Spec.Triggers {
			name := "s" + strconv.Itoa(i)
			triggers[name] = trigger.Name
			value, known := values[i].(float64)
			if !known {
				value = -1 // what KEDA's fallback puts there
				so.Status.Health[name] = kedav1alpha1.HealthStatus{NumberOfFailures: &failed, Status: kedav1alpha1.HealthStatusFailing}
			}
			metrics = append(metrics, external_metrics.ExternalMetricValue{MetricName: name, Value: *resource.NewMilliQuantity(int64(value*1000), resource.DecimalSI)})
		}
		got := modifiers.HandleScalingModifiers(so, metrics, triggers, false, nil, &cache.ScalersCache{CompiledFormula: program}, logr.Discard())
		if len(got) != 1 || got[0].MetricName != kedav1alpha1.CompositeMetricName {
			t.Fatalf("%v: got %+v, want the one value of the formula", values, got)
		}
		return math.Ceil(got[0].Value.AsApproximateFloat64() / target) // as the autoscaler does with an average
	}
}

// TestFormula: none without messages, else one at least, as many as the
// messages need, and no more than what the vault grants keeps busy. In this set
// of values, 600 units a second keep 7.03 replicas of 85.3 busy, and 50 messages
// want one.
func TestFormula(t *testing.T) {
	t.Parallel()
	ask := formula(t, scaledObject(t, "everything"))
	tests := []struct {
		name  string
		jobs  [4]any // of the job queue, of two lanes, and of a producer's queue
		scale any
		want  float64
	}{
		{"empty", [4]any{0.0, 0.0, 0.0, 0.0}, 1.0, 0},
		{"empty, and the vault grants nothing", [4]any{0.0, 0.0, 0.0, 0.0}, 0.0, 0},
		{"one message", [4]any{1.0, 0.0, 0.0, 0.0}, 1.0, 1},
		{"small", [4]any{120.0, 0.0, 0.0, 0.0}, 1.0, 3},
		{"small, in another queue", [4]any{0.0, 0.0, 0.0, 120.0}, 1.0, 3},
		{"small, in all", [4]any{30.0, 30.0, 30.0, 30.0}, 1.0, 3},
		{"huge", [4]any{1e6, 1e6, 1e6, 1e6}, 1.0, 8},
		{"huge, and the vault grants half", [4]any{1e6, 0.0, 0.0, 0.0}, 0.5, 4},
		{"huge, and the vault grants nothing", [4]any{1e6, 0.0, 0.0, 0.0}, 0.0, 1},
		{"small, and what is granted is not known", [4]any{120.0, 0.0, 0.0, 0.0}, nil, 3},
		{"huge, and what is granted is not known", [4]any{1e6, 0.0, 0.0, 0.0}, nil, 8},
		{"a length is not known", [4]any{nil, 0.0, 0.0, 0.0}, 1.0, 8},
		{"a length is not known, and the vault grants half", [4]any{0.0, 0.0, nil, 0.0}, 0.5, 4},
		{"nothing is known", [4]any{nil, nil, nil, nil}, nil, 8},
	}
	for _, tc := range tests {
		if got := ask(append(tc.jobs[:], tc.scale)); got != tc.want {
			t.Errorf("%s: got %v replicas, want %v", tc.name, got, tc.want)
		}
	}
}
