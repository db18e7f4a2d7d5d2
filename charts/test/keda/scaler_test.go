package keda

import (
	"context"
	"regexp"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"github.com/kedacore/keda/v2/pkg/scalers"
	"github.com/kedacore/keda/v2/pkg/scalers/scalersconfig"
)

// scaler makes KEDA's scaler of a ScaledObject's trigger.
func scaler(t *testing.T, so *kedav1alpha1.ScaledObject, index int, connection string, identity kedav1alpha1.AuthPodIdentity) scalers.Scaler {
	t.Helper()
	trigger := so.Spec.Triggers[index]
	s, err := scalers.NewAzureServiceBusScaler(&scalersconfig.ScalerConfig{
		ScalableObjectName: so.Name, ScalableObjectNamespace: so.Namespace, ScalableObjectType: "ScaledObject",
		GlobalHTTPTimeout: time.Minute, // KEDA's own of 3 s is short for a busy machine
		TriggerName:       trigger.Name, TriggerType: trigger.Type, TriggerMetadata: trigger.Metadata, TriggerIndex: index, MetricType: trigger.MetricType,
		AuthParams: map[string]string{"connection": connection}, PodIdentity: identity,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// alerted is what the alert SignmillScaledToZero takes for the length of a queue.
var alerted = regexp.MustCompile(`^s[0-9]+-azure-servicebus-.*$`)

// TestScalerReadsTheLocalQueue: KEDA's scaler, with a connection string, reads
// over HTTPS what waits in the queue of signmill local. None is no activity.
func TestScalerReadsTheLocalQueue(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	settings := local(t)
	bus, err := azservicebus.NewClientFromConnectionString(settings["SIGNMILL_CONNECTION_STRING"], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer bus.Close(ctx) //nolint:errcheck // it is over
	sender, err := bus.NewSender("jobs", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := scaler(t, scaledObject(t, "secret"), 0, overHTTPS(settings), kedav1alpha1.AuthPodIdentity{})
	metric := s.GetMetricSpecForScaling(ctx)[0].External
	if target := metric.Target.AverageValue.Value(); target != 50 || !alerted.MatchString(metric.Metric.Name) {
		t.Errorf("got the target %d of %s, want 50 of what the alert looks at", target, metric.Metric.Name)
	}
	for want := range int64(3) {
		got, active, err := s.GetMetricsAndActivity(ctx, metric.Metric.Name)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || got[0].Value.Value() != want || active != (want > 0) {
			t.Fatalf("got %+v, active: %v, want %d messages", got, active, want)
		}
		if err := sender.SendMessage(ctx, &azservicebus.Message{Body: []byte("{}")}, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// TestScalerTakesAnIdentity: what the chart says with an identity is all that
// KEDA's scaler asks for.
func TestScalerTakesAnIdentity(t *testing.T) {
	for _, set := range []string{"identity", "everything"} {
		so := scaledObject(t, set)
		identity := snapshot[kedav1alpha1.TriggerAuthentication](t, set, "TriggerAuthentication")[0].Spec.PodIdentity
		names := map[string]bool{}
		for i, trigger := range so.Spec.Triggers {
			if trigger.Type != "azure-servicebus" {
				continue
			}
			name := scaler(t, so, i, "", *identity).GetMetricSpecForScaling(t.Context())[0].External.Metric.Name
			if names[name] || !alerted.MatchString(name) {
				t.Errorf("%s: the metric %s stands twice, or the alert does not look at it", set, name)
			}
			names[name] = true
		}
	}
}
