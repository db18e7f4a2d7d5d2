{{/* signmill.env is the worker's environment. One of extraEnv replaces one of ours: a name that stands twice is refused by a server-side apply. */}}
{{- define "signmill.env" -}}
{{- $env := list
  (dict "name" "GOMEMLIMIT" "value" (include "signmill.memoryTarget" .))
  (dict "name" "OTEL_SERVICE_NAME" "value" (include "signmill.name" .))
  (dict "name" "POD_NAME" "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.name")))
  (dict "name" "POD_NAMESPACE" "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.namespace")))
  (dict "name" "POD_UID" "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.uid")))
  (dict "name" "NODE_NAME" "valueFrom" (dict "fieldRef" (dict "fieldPath" "spec.nodeName")))
  (dict "name" "OTEL_RESOURCE_ATTRIBUTES" "value" (include "signmill.attributes" .))
  (dict "name" "OTEL_TRACES_EXPORTER" "value" .Values.tracing.exporter)
  (dict "name" "OTEL_METRICS_EXPORTER" "value" .Values.metrics.exporter) -}}
{{- with .Values.tracing.endpoint }}{{ $env = append $env (dict "name" "OTEL_EXPORTER_OTLP_ENDPOINT" "value" .) }}{{ end -}}
{{- with .Values.serviceBus.connectionString }}{{ if .secret -}}
{{- $env = append $env (dict "name" "SIGNMILL_CONNECTION_STRING" "valueFrom" (dict "secretKeyRef" (dict "name" .secret "key" .key))) -}}
{{- end }}{{ end -}}
{{- with .Values.budget.redisPassword }}{{ if .secret -}}
{{- $env = append $env (dict "name" "SIGNMILL_REDIS_PASSWORD" "valueFrom" (dict "secretKeyRef" (dict "name" .secret "key" .key))) -}}
{{- end }}{{ end -}}
{{- $theirs := list }}{{ range .Values.worker.extraEnv }}{{ $theirs = append $theirs .name }}{{ end -}}
{{- $all := list }}{{ range $env }}{{ if not (has .name $theirs) }}{{ $all = append $all . }}{{ end }}{{ end -}}
{{ toYaml (concat $all .Values.worker.extraEnv) }}
{{- end -}}

{{/* signmill.attributes tell traces and metrics of one pod from those of others. */}}
{{- define "signmill.attributes" -}}
{{- $ours := dict
  "service.instance.id" "$(POD_NAME)"
  "k8s.namespace.name" "$(POD_NAMESPACE)"
  "k8s.deployment.name" (include "signmill.name" .)
  "k8s.pod.name" "$(POD_NAME)"
  "k8s.pod.uid" "$(POD_UID)"
  "k8s.node.name" "$(NODE_NAME)"
  "k8s.container.name" "signmill" -}}
{{- $all := list }}{{ range $name, $value := merge (deepCopy .Values.tracing.attributes) $ours }}{{ $all = append $all (printf "%s=%s" $name $value) }}{{ end -}}
{{ join "," $all }}
{{- end -}}

{{/* signmill.memoryTarget is a part of the memory limit, in bytes. */}}
{{- define "signmill.memoryTarget" -}}
{{- $limit := .Values.resources.limits.memory | toString -}}
{{- $units := dict "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "k" 1000 "M" 1000000 "G" 1000000000 "" 1 -}}
{{- $unit := regexFind "[A-Za-z]*$" $limit -}}
{{- if not (hasKey $units $unit) }}{{ fail (printf "resources.limits.memory %q: use a number with Ki, Mi, Gi, k, M, G or nothing" $limit) }}{{ end -}}
{{ mulf (float64 (trimSuffix $unit $limit)) (float64 (get $units $unit)) (float64 .Values.memoryTarget) | int64 }}
{{- end -}}

{{/* signmill.args are the worker's arguments. */}}
{{- define "signmill.args" -}}
{{- $args := list "worker" "--policy=/etc/signmill/policy.yaml" "--health=:8080"
  (printf "--jobs=%s" .Values.serviceBus.jobs)
  (printf "--concurrency=%d" (int .Values.worker.concurrency))
  (printf "--job-timeout=%s" .Values.worker.jobTimeout)
  (printf "--drain-timeout=%ss" (include "signmill.drain" .))
  (printf "--grace-period=%ss" (include "signmill.grace" .))
  (printf "--max-deliveries=%d" (int .Values.worker.maxDeliveries))
  (printf "--max-items=%d" (int .Values.worker.maxItems))
  (printf "--log-level=%s" .Values.worker.logLevel)
  (printf "--share=%s" (include "signmill.share" .)) -}}
{{- with int .Values.worker.jobsHeld }}{{ $args = append $args (printf "--jobs-held=%d" .) }}{{ end -}}
{{- if not .Values.serviceBus.connectionString.secret -}}
{{- $args = append $args (printf "--namespace=%s" .Values.serviceBus.namespace) -}}
{{- $args = append $args (printf "--cloud=%s" (include "signmill.cloud" .)) -}}
{{- end -}}
{{- if .Values.identity.clientId }}{{ $args = append $args "--auth=workload-identity" }}{{ end -}}
{{- with .Values.tracing.queue }}{{ $args = append $args (printf "--trace-queue=%s" .) }}{{ end -}}
{{- if .Values.audit.enabled }}{{ $args = append $args (printf "--audit=%s" .Values.audit.file) }}{{ end -}}
{{- if and .Values.audit.enabled .Values.audit.bestEffort }}{{ $args = append $args "--audit-best-effort" }}{{ end -}}
{{- range .Values.worker.lanes }}{{ $args = append $args (printf "--lane=%s" .) }}{{ end -}}
{{ toYaml (concat $args .Values.worker.extraArgs) }}
{{- end -}}

{{/* signmill.share is which part of the quota is a replica's. */}}
{{- define "signmill.share" -}}
{{- if eq .Values.budget.share "redis" }}{{ .Values.budget.redisURL }}
{{- else if eq .Values.budget.share "dns" }}dns:{{ include "signmill.name" . }}.{{ include "signmill.namespace" . }}.svc
{{- else }}static:{{ max 1 (int (include "signmill.replicas" .)) }}
{{- end -}}
{{- end -}}

{{/* signmill.drain is how long jobs under way have at the end, in seconds: the value, or what one attempt may take. */}}
{{- define "signmill.drain" -}}
{{ int .Values.worker.drainSeconds | default (include "signmill.seconds" .Values.worker.jobTimeout) }}
{{- end -}}

{{/* signmill.seconds is a duration, such as 1m30s, in whole seconds, rounded up. */}}
{{- define "signmill.seconds" -}}
{{- $then := toDate "2006-01-02" "2000-01-01" -}}
{{ sub (mustDateModify . $then | mustDateModify "999ms" | unixEpoch | int64) (unixEpoch $then | int64) }}
{{- end -}}

{{/* signmill.grace is how long a pod may take to end, in seconds: the drain, 5 for the last replies and settlements, 5 for traces and links. */}}
{{- define "signmill.grace" -}}
{{ add (include "signmill.drain" .) 10 }}
{{- end -}}
