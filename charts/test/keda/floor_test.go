package keda

import (
	"context"
	"testing"
	"time"

	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"github.com/kedacore/keda/v2/pkg/scaling/executor"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/scale"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// cluster is one that has nothing but a Deployment's number of replicas.
type cluster struct {
	client.Client
	replicas int32
}

func (c *cluster) Get(_ context.Context, _ client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	o.(*appsv1.Deployment).Spec.Replicas = new(c.replicas)
	return nil
}

func (c *cluster) Scales(string) scale.ScaleInterface { return scales{cluster: c} }

// scales lets KEDA change the number.
type scales struct {
	scale.ScaleInterface
	cluster *cluster
}

func (s scales) Get(context.Context, schema.GroupResource, string, metav1.GetOptions) (*autoscalingv1.Scale, error) {
	return &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: s.cluster.replicas}}, nil
}

func (s scales) Update(_ context.Context, _ schema.GroupResource, asked *autoscalingv1.Scale, _ metav1.UpdateOptions) (*autoscalingv1.Scale, error) {
	s.cluster.replicas = asked.Spec.Replicas
	return asked, nil
}

// TestFloorHoldsAgainstTheDefect: a throttled management endpoint leaves KEDA
// 2.21 with neither activity nor an error, although messages wait. Once the
// cooldown is over it takes the last replicas away where the floor is 0, and
// none where it is the chart's.
func TestFloorHoldsAgainstTheDefect(t *testing.T) {
	t.Parallel()
	for set, want := range map[string]int32{"identity": 2, "everything": 2, "secret": 0} {
		so := scaledObject(t, set)
		so.Status.ScaleTargetGVKR = &kedav1alpha1.GroupVersionKindResource{Group: "apps", Version: "v1", Kind: "Deployment", Resource: "deployments"}
		so.Status.LastActiveTime = &metav1.Time{Time: time.Now().Add(-time.Hour)}
		c := &cluster{replicas: 2}
		e := executor.NewScaleExecutor(c, c, runtime.NewScheme(), time.Minute, events.NewFakeRecorder(10))
		e.RequestScale(t.Context(), so, false, false, executor.ScaleExecutorOptions{})
		if c.replicas != want {
			t.Errorf("%s: with a floor of %d, %d replicas are left, want %d", set, *so.Spec.MinReplicaCount, c.replicas, want)
		}
	}
}
