{{/* signmill.alerts are the alerts: what is wrong, and what to do about it. The chart's README has them in a table. */}}
{{- define "signmill.alerts" -}}
{{- $series := include "signmill.series" . -}}
{{- $name := include "signmill.name" . -}}
- alert: SignmillVerificationFailed
  expr: {{ include "signmill.new" (list "signmill_key" "signmill_verify_failures_total" $series) }}
  for: 0m
  severity: critical
  summary: A vault answered with a signature that does not verify
  description: It was thrown away and not published. Stop using the key, and find out who answers in the vault's place.
- alert: SignmillDeadLetters
  expr: {{ include "signmill.new" (list "signmill_reason" "signmill_dead_letters_total" $series) }}
  for: 0m
  severity: warning
  summary: Jobs were dead-lettered
  description: "signmill dlq list says which and why; signmill dlq replay puts them back."
- alert: SignmillThrottled
  expr: sum(rate(signmill_vault_calls_total{ {{- $series -}} ,signmill_outcome="throttled"}[10m])) / sum(rate(signmill_vault_calls_total{ {{- $series -}} }[10m])) > 0.01
  for: 10m
  severity: warning
  summary: The vault refuses more than 1 in 100 calls
  description: Its quota is less than the policy says, or others use it, too. signmill quota probe measures it.
- alert: SignmillQuotaExhausted
  expr: sum by (signmill_vault) (signmill_quota_waiting{ {{- $series -}} }) > 0 and on () histogram_quantile(0.9, sum by (le) (rate(signmill_queue_wait_seconds_bucket{ {{- $series -}} }[10m]))) > 60
  for: 15m
  severity: warning
  summary: Calls wait for a vault's quota all the time, and jobs wait for more than a minute
  description: More replicas do not help. Spread the keys over more vaults, use cheaper keys, or ask for more quota; signmill plan tells how long the backlog takes.
- alert: SignmillStuck
  expr: sum by (pod) (signmill_jobs_held{ {{- $series -}} }) > 0 unless sum by (pod) (rate(signmill_items_total{ {{- $series -}} }[10m])) > 0
  for: 10m
  severity: critical
  summary: A replica holds jobs and finishes no item
  description: Its status page and log say what it waits for.
- alert: SignmillReplyRefused
  expr: sum by (messaging_destination_name, error_type) (rate(messaging_client_operation_duration_seconds_count{ {{- $series -}} ,messaging_operation_name="send",error_type!=""}[5m])) > 0
  for: 5m
  severity: critical
  summary: A reply queue refuses replies
  description: It is full, gone, or the right to send is missing. signmill doctor tells. The replicas take no jobs until it takes replies again.
- alert: SignmillLocksLate
  expr: histogram_quantile(0.05, sum by (le) (rate(signmill_lock_margin_seconds_bucket{ {{- $series -}} }[10m]))) < 2
  for: 10m
  severity: warning
  summary: Locks of jobs are renewed with less than 2 s left
  description: The replicas lack CPU, or the broker is slow. Jobs whose lock is lost are done twice.
{{- if .Values.scaling.enabled }}
- alert: SignmillScaledToZero
  expr: max({{ range $i, $label := list "namespace" "exported_namespace" }}{{ if $i }} or {{ end }}keda_scaler_metrics_value{ {{- $label }}="{{ include "signmill.namespace" $ }}",scaledObject="{{ $name }}",metric=~"s[0-9]+-azure-servicebus-.*"}{{ end }}) > 0 and sum(kube_deployment_spec_replicas{namespace="{{ include "signmill.namespace" . }}",deployment="{{ $name }}"}) == 0
  for: 3m
  severity: critical
  summary: Messages wait, and there is no replica
  description: "A throttled management endpoint makes KEDA 2.21 scale to zero. Set scaling.minReplicas to 1."
{{- end }}
{{- end -}}

{{/* signmill.new finds counters that grew in the last 15 minutes, or appeared: a counter that is counted once appears with 1, which is no growth. */}}
{{- define "signmill.new" -}}
{{- $counter := printf "%s{%s}" (index . 1) (index . 2) -}}
sum by ({{ first . }}) (increase({{ $counter }}[15m])) > 0 or sum by ({{ first . }}) ({{ $counter }} unless {{ $counter }} offset 15m) > 0
{{- end -}}
