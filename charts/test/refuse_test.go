package test

import (
	"strings"
	"testing"
)

// TestBadValuesAreRefused: with the reason, and with what to do where the
// schema cannot say it.
func TestBadValuesAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, base, values, want string }{
		{"a name that does not exist", "identity", "replicas: 3", "additional properties 'replicas' not allowed"},
		{"a misspelt name", "identity", "worker: {concurency: 3}", "additional properties 'concurency' not allowed"},
		{"text for a number", "identity", "worker: {concurrency: many}", "got string, want integer"},
		{"nothing at once", "identity", "worker: {concurrency: 0}", "minimum: got 0, want 1"},
		{"a namespace without its domain", "identity", "serviceBus: {namespace: example}", "/serviceBus/namespace"},
		{"a namespace with a scheme", "identity", "serviceBus: {namespace: 'sb://example.servicebus.windows.net'}", "/serviceBus/namespace"},
		{"an identity that is no ID", "identity", "identity: {clientId: worker}", "/identity/clientId"},
		{"a duration without a unit", "identity", "worker: {jobTimeout: '300'}", "/worker/jobTimeout"},
		{"a digest of another kind", "identity", "image: {digest: 'md5:00'}", "/image/digest"},
		{"a password in a URL", "identity", "budget: {share: redis, redisURL: 'redis://:secret@store:6379'}", "/budget/redisURL"},
		{"a share that does not exist", "identity", "budget: {share: even}", "value must be one of 'dns', 'redis', 'static'"},
		{"a label that is the chart's", "identity", "podLabels: {app.kubernetes.io/name: other}", "/podLabels/app.kubernetes.io"},
		{"a lane without a queue", "identity", "worker: {lanes: ['urgent']}", "/worker/lanes/0"},
		{"a fraction of a replica", "identity", "scaling: {minReplicas: 1.5}", "got number, want integer"},
		{"less than no replica", "identity", "scaling: {minReplicas: -1}", "minimum: got -1, want 0"},
		{"no limit of memory", "identity", "resources: {limits: {memory: null}}", "missing property 'memory'"},
		{"a memory that cannot be read", "identity", "resources: {limits: {memory: 1GiB}}", "use a number with"},
		{"an exporter that does not exist", "identity", "tracing: {exporter: jaeger}", "/tracing/exporter"},

		{"a label that is the chart's, too", "identity", "commonLabels: {app.kubernetes.io/component: other}", "/commonLabels/app.kubernetes.io"},
		{"an attribute that is two", "identity", "tracing: {attributes: {team: 'pki,host.name=x'}}", "/tracing/attributes/team"},
		{"an audit log that has no place", "identity", "audit: {enabled: true, file: audit.jsonl}", "/audit/file"},

		{"no namespace", "identity", "serviceBus: {namespace: ''}", "serviceBus.namespace is missing"},
		{"no identity", "identity", "identity: {clientId: ''}", "identity.clientId is missing"},
		{"no policy", "secret", "policyConfigMap: ''", "policy is missing"},
		{"two policies", "identity", "policyConfigMap: theirs", "policy and policyConfigMap are both set"},
		{"more than the quota keeps busy", "identity", "scaling: {maxReplicas: 3}", "scaling.maxReplicas is 3, and a quota of 4000 units in 10 s keeps 0.562 busy"},
		{"more than the quota keeps busy, unscaled", "identity", "scaling: {enabled: false, minReplicas: 3}", "scaling.minReplicas is 3, and a quota of 4000"},
		{"a floor above the ceiling", "identity", "scaling: {minReplicas: 3}", "scaling.minReplicas is 3, above the 2"},
		{"no quota", "identity", "policy: {vaults: {prod: {quota: 0}}}", "scaling.maxReplicas is missing: a vault of the policy has no quota"},
		{"a Managed HSM has no quota", "identity", "policy: {vaults: {hsm: {url: 'https://example.managedhsm.azure.net'}}}", "scaling.maxReplicas is missing"},
		{"no quota to scale by", "everything", "policy: {subscription: null, vaults: {prod: {quota: 0}}}", "scaling.allowedQuota.enabled needs a quota"},
		{"nobody to ask for the scale", "everything", "scaling: {allowedQuota: {prometheus: ''}}", "scaling.allowedQuota.prometheus is missing"},
		{"nobody scrapes the scale", "everything", "podMonitor: {enabled: false}", "podMonitor.enabled is false"},
		{"no store", "identity", "budget: {share: redis}", "budget.redisURL is missing"},
		{"nowhere to send traces", "identity", "tracing: {exporter: otlp}", "tracing.endpoint is missing"},
		{"nowhere to send metrics", "identity", "metrics: {exporter: otlp}", "tracing.endpoint is missing"},
		{"a variable twice", "identity", "worker: {extraEnv: [{name: A}, {name: A}]}", "worker.extraEnv has A twice"},
		{"several faults", "identity", "serviceBus: {namespace: ''}\nidentity: {clientId: ''}", "identity.clientId is missing"},
	}
	for _, tc := range tests {
		_, err := render(t, release{"mill", with(t, tc.base, tc.values)})
		if err == nil {
			t.Errorf("%s: is taken", tc.name)
		} else if !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q in it", tc.name, err, tc.want)
		}
	}
}

// TestDefaultsAloneAreRefused: with all that is missing, at once.
func TestDefaultsAloneAreRefused(t *testing.T) {
	t.Parallel()
	_, err := render(t, release{"mill", nil})
	if err == nil {
		t.Fatal("a chart without values is taken")
	}
	for _, want := range []string{"serviceBus.namespace is missing", "identity.clientId is missing", "policy is missing"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}
