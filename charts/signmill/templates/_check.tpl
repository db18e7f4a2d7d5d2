{{/* signmill.check ends with all that cannot work, of what the schema cannot tell. */}}
{{- define "signmill.check" -}}
{{- $faults := concat (include "signmill.checkAccess" . | fromJsonArray) (include "signmill.checkScaling" . | fromJsonArray) (include "signmill.checkWorker" . | fromJsonArray) -}}
{{- with $faults }}{{ fail (printf "\n  %s" (join "\n  " .)) }}{{ end -}}
{{- end -}}

{{- define "signmill.checkAccess" -}}
{{- $faults := list -}}
{{- if not (or .Values.serviceBus.namespace .Values.serviceBus.connectionString.secret) -}}
{{- $faults = append $faults "serviceBus.namespace is missing: the host of the namespace; or name a secret in serviceBus.connectionString.secret" -}}
{{- end -}}
{{- if not (or .Values.identity.clientId .Values.serviceBus.connectionString.secret) -}}
{{- $faults = append $faults "identity.clientId is missing: the managed identity of the worker" -}}
{{- end -}}
{{- if not (or .Values.policy .Values.policyConfigMap) -}}
{{- $faults = append $faults "policy is missing: nothing may be signed that is not allowed. Set policy, or name a ConfigMap in policyConfigMap" -}}
{{- end -}}
{{- if and .Values.policy .Values.policyConfigMap -}}
{{- $faults = append $faults "policy and policyConfigMap are both set: use one" -}}
{{- end -}}
{{ toJson $faults }}
{{- end -}}

{{- define "signmill.checkScaling" -}}
{{- $faults := list -}}
{{- $most := int (include "signmill.replicas" .) -}}
{{- $useful := int (include "signmill.useful" .) -}}
{{- if eq (include "signmill.quota" .) "0" -}}
{{- if not .Values.scaling.maxReplicas -}}
{{- $faults = append $faults "scaling.maxReplicas is missing: a vault of the policy has no quota, so that nothing tells how many replicas are of use. Set it, or budget.quota" -}}
{{- end -}}
{{- if .Values.scaling.allowedQuota.enabled -}}
{{- $faults = append $faults "scaling.allowedQuota.enabled needs a quota, and a vault of the policy has none: set budget.quota" -}}
{{- end -}}
{{- else if and (gt $most $useful) (not .Values.scaling.allowBeyondQuota) -}}
{{- $faults = append $faults (printf "scaling.%s is %d, and a quota of %s units in 10 s keeps %s busy (worker.concurrency %d, budget.latency %v s, budget.unitsPerItem %v): more replicas only meet 429s. %d are allowed; or set scaling.allowBeyondQuota" (ternary "maxReplicas" "minReplicas" .Values.scaling.enabled) $most (include "signmill.quota" .) (include "signmill.busy" .) (int .Values.worker.concurrency) .Values.budget.latency .Values.budget.unitsPerItem $useful) -}}
{{- end -}}
{{- if lt $most (int .Values.scaling.minReplicas) -}}
{{- $faults = append $faults (printf "scaling.minReplicas is %d, above the %d that there may be at most: see scaling.maxReplicas" (int .Values.scaling.minReplicas) $most) -}}
{{- end -}}
{{- if and .Values.scaling.allowedQuota.enabled (not .Values.scaling.allowedQuota.prometheus) -}}
{{- $faults = append $faults "scaling.allowedQuota.prometheus is missing: the address of the Prometheus that scrapes the replicas" -}}
{{- end -}}
{{- if and .Values.scaling.allowedQuota.enabled (not .Values.podMonitor.enabled) -}}
{{- $faults = append $faults "podMonitor.enabled is false, and scaling.allowedQuota needs what Prometheus scrapes" -}}
{{- end -}}
{{ toJson $faults }}
{{- end -}}

{{- define "signmill.checkWorker" -}}
{{- $faults := list -}}
{{- if and (eq .Values.budget.share "redis") (not .Values.budget.redisURL) -}}
{{- $faults = append $faults "budget.redisURL is missing: the store that budget.share names" -}}
{{- end -}}
{{- $names := list -}}
{{- range .Values.worker.extraEnv -}}
{{- if has .name $names }}{{ $faults = append $faults (printf "worker.extraEnv has %s twice" .name) }}{{ end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- $otlp := or (contains "otlp" .Values.tracing.exporter) (eq .Values.metrics.exporter "otlp") -}}
{{- if and $otlp (not .Values.tracing.endpoint) (not .Values.worker.extraEnvFrom) (not (regexMatch "OTEL_EXPORTER_OTLP_([A-Z]+_)?ENDPOINT" (join " " $names))) -}}
{{- $faults = append $faults "tracing.endpoint is missing: the exporter otlp needs an address" -}}
{{- end -}}
{{ toJson $faults }}
{{- end -}}
