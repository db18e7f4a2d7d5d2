{{/* signmill.env is the worker's environment. One of extraEnv replaces one of ours: a name that stands twice is refused by a server-side apply. */}}
{{- define "signmill.env" -}}
{{- $env := list
  (dict "name" "GOMEMLIMIT" "value" (include "signmill.memoryTarget" .))
  (dict "name" "OTEL_SERVICE_NAME" "value" (include "signmill.name" .))
  (dict "name" "POD_NAME" "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.name")))
  (dict "name" "POD_NAMESPACE" "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.namespace")))
  (dict "name" "OTEL_RESOURCE_ATTRIBUTES" "value" "service.instance.id=$(POD_NAME),k8s.pod.name=$(POD_NAME),k8s.namespace.name=$(POD_NAMESPACE)")
  (dict "name" "OTEL_TRACES_EXPORTER" "value" .Values.tracing.exporter) -}}
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
  (printf "--drain-timeout=%ds" (int .Values.worker.drainSeconds))
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
{{- range .Values.worker.lanes }}{{ $args = append $args (printf "--lane=%s" .) }}{{ end -}}
{{ toYaml (concat $args .Values.worker.extraArgs) }}
{{- end -}}

{{/* signmill.share is which part of the quota is a replica's. */}}
{{- define "signmill.share" -}}
{{- if eq .Values.budget.share "redis" }}{{ .Values.budget.redisURL }}
{{- else if eq .Values.budget.share "dns" }}dns:{{ include "signmill.name" . }}.{{ .Release.Namespace }}.svc
{{- else }}static:{{ max 1 (int (include "signmill.replicas" .)) }}
{{- end -}}
{{- end -}}

{{/* signmill.grace is how long a pod may take to end, in seconds: the drain, 5 for the last replies and settlements, 5 for traces and links. */}}
{{- define "signmill.grace" -}}
{{ add (int .Values.worker.drainSeconds) 10 }}
{{- end -}}
