{{/* signmill.quota is what the vaults allow in 10 s: the value, or what the policy says. 0: there is a vault without a quota, so there is no sum. */}}
{{- define "signmill.quota" -}}
{{- $sum := int64 .Values.budget.quota -}}
{{- if not $sum -}}
{{- $bounded := true -}}
{{- range (.Values.policy.vaults | default (dict "unknown" dict)) -}}
{{- $quota := ternary 4000 (int64 .quota) (kindIs "invalid" .quota) -}}
{{- $sum = add $sum $quota -}}
{{- if or (not $quota) (contains ".managedhsm." (.url | default "")) }}{{ $bounded = false }}{{ end -}}
{{- end -}}
{{- $all := (.Values.policy.subscription).quota | int64 -}}
{{- if not $bounded }}{{ $sum = $all }}{{ else if $all }}{{ $sum = min $sum $all }}{{ end -}}
{{- end -}}
{{ $sum }}
{{- end -}}

{{/* signmill.busy is how many replicas the quota keeps busy: what it allows in a second, by what one can do (Little's law), both in units. */}}
{{- define "signmill.busy" -}}
{{- $allowed := divf (float64 (include "signmill.quota" .)) 10.0 -}}
{{- $one := divf (mulf (float64 .Values.worker.concurrency) (float64 .Values.budget.unitsPerItem)) (float64 .Values.budget.latency) -}}
{{ divf $allowed $one | printf "%.3f" }}
{{- end -}}

{{/* signmill.useful is the same in whole replicas, and 2 at least, so that one may fail. */}}
{{- define "signmill.useful" -}}
{{ max 2 (ceil (float64 (include "signmill.busy" .)) | int) }}
{{- end -}}

{{/* signmill.maxReplicas is the ceiling: the value, or the useful number. */}}
{{- define "signmill.maxReplicas" -}}
{{ int .Values.scaling.maxReplicas | default (include "signmill.useful" .) }}
{{- end -}}

{{/* signmill.replicas is how many there may be at most, scaled or not. */}}
{{- define "signmill.replicas" -}}
{{ ternary (include "signmill.maxReplicas" .) (int .Values.scaling.minReplicas | toString) .Values.scaling.enabled }}
{{- end -}}

{{/* signmill.queues are the queues that jobs come in on, as a JSON list: the job queue, those of lanes, and those of the policy's producers. */}}
{{- define "signmill.queues" -}}
{{- $queues := list .Values.serviceBus.jobs -}}
{{- range .Values.worker.lanes }}{{ $queues = append $queues (regexReplaceAll "^[^=]*=|,.*$" . "") }}{{ end -}}
{{- range (.Values.policy.producers | default dict) }}{{ if .queue }}{{ $queues = append $queues .queue }}{{ end }}{{ end -}}
{{ $queues | uniq | toJson }}
{{- end -}}

{{/*
signmill.formula is the number of replicas, for KEDA's scaling modifiers: none
without messages, else one at least, and no more than either the messages need
or the quota keeps busy. A queue of unknown length counts as a long one, a scale
that is not known as 1.

It goes by what the vault grants all replicas, not by what they leave of it:
replicas that use all of it leave nothing, which would scale them down to one.
*/}}
{{- define "signmill.formula" -}}
{{- $terms := list }}{{ range $i, $_ := include "signmill.queues" . | fromJsonArray }}{{ $terms = append $terms (printf "(jobs%d ?? 1000000)" $i) }}{{ end -}}
{{- $messages := join " + " $terms -}}
({{ $messages }}) <= 0 ? 0 : max(1, min(({{ $messages }}) / {{ .Values.scaling.messagesPerReplica }}, (scale ?? 1) * {{ include "signmill.busy" . }}))
{{- end -}}
