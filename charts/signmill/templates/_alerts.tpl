{{/* signmill.alerts are the alerts: what is wrong, what that means, and what to do about it. The chart's README tells the same. */}}
{{- define "signmill.alerts" -}}
{{- $series := include "signmill.series" . -}}
{{- $name := include "signmill.name" . -}}
- alert: SignmillVerificationFailed
  expr: {{ include "signmill.new" (list "signmill_key" "signmill_verify_failures_total" $series) }}
  for: 0m
  severity: critical
  summary: A vault answered with a signature that does not verify
  description: "The signature was thrown away and not published. Somebody answers in the vault's place, or what lies before it changes answers."
  runbook: "Take the key out of the policy until it is clear who answers. The log of the replica names the version of the key, and the audit log has the request ids that stand in the vault's own log, too. Look at name, private endpoint and proxy with signmill doctor. The results of the items carry the code integrity; their sender sends them again."
- alert: SignmillDeadLetters
  expr: {{ include "signmill.new" (list "signmill_reason" "signmill_dead_letters_total" $series) }}
  for: 0m
  severity: warning
  summary: Jobs were dead-lettered
  description: "Nobody could do them. The reason is one of the codes in signmill's README, or the broker's own."
  runbook: "signmill dlq list says which and why, and signmill dlq show shows one. Mend the cause: the vault or the keys after attempts_exhausted, the sender for the others. Then signmill dlq replay --reason REASON puts them back, or signmill dlq purge drops them."
- alert: SignmillThrottled
  expr: sum(rate(signmill_vault_calls_total{ {{- $series -}} ,signmill_outcome="throttled"}[10m])) / sum(rate(signmill_vault_calls_total{ {{- $series -}} }[10m])) > 0.01
  for: 10m
  severity: warning
  summary: The vault refuses more than 1 in 100 calls
  description: "Replicas pace their calls so that this does not happen. The vault grants less than the policy says, others use it, too, or more replicas run than share its quota."
  runbook: "signmill quota probe measures what the vault grants, when nobody needs it. Give the policy that quota, or move the others to another vault. With budget.share static, see that no more than scaling.maxReplicas run."
- alert: SignmillQuotaExhausted
  expr: sum by (signmill_vault) (signmill_quota_waiting{ {{- $series -}} }) > 0 and on () histogram_quantile(0.9, sum by (le) (rate(signmill_queue_wait_seconds_bucket{ {{- $series -}} }[10m]))) > 60
  for: 15m
  severity: warning
  summary: Calls wait for a vault's quota all the time, and jobs wait for more than a minute
  description: "Jobs come faster than the quota allows, and replicas are as fast as it does. More of them do not help."
  runbook: "The status page of a replica tells how long the backlog takes, and signmill plan how long a campaign does. Let a peak pass. Else spread the keys over more vaults, take cheaper keys, such as EC or RSA-2048 in software, or ask the vendor for more."
- alert: SignmillStuck
  expr: sum by (pod) (signmill_jobs_held{ {{- $series -}} }) > 0 unless sum by (pod) (rate(signmill_items_total{ {{- $series -}} }[10m])) > 0
  for: 10m
  severity: critical
  summary: A replica holds jobs and finishes no item
  description: "It hangs, or the vault or a reply queue keeps it waiting. Its jobs go to others when their locks end."
  runbook: "Its status page names what is wrong, and its log says what it waits for. Where other replicas work, delete its pod. Where none does, look at the alerts about the vault, the broker and the reply queues first."
- alert: SignmillVaultAway
  expr: sum(rate(signmill_vault_calls_total{ {{- $series -}} ,signmill_outcome="unavailable"}[5m])) / sum(rate(signmill_vault_calls_total{ {{- $series -}} }[5m])) > 0.5
  for: 5m
  severity: critical
  summary: More than half of the calls to the vaults get no answer, or 5xx
  description: "Jobs are put off and come again, until their attempts or their time are used up; then they are dead-lettered. Replicas stay ready, because others would meet the same vault."
  runbook: "signmill doctor tells whether the name, the network or the token is at fault; else see what the vendor says of the region. After a long outage signmill dlq replay --reason attempts_exhausted puts jobs back."
- alert: SignmillBrokerAway
  expr: max by (messaging_destination_name) (signmill_broker_silence_seconds{ {{- $series -}} }) > 120
  for: 1m
  severity: critical
  summary: The broker gives a replica no answer
  description: "It takes no jobs and settles none, and is not ready. What it holds comes again when the locks end; what it has signed is not lost."
  runbook: "signmill doctor, run in the pod, tells whether the name, the network, TLS or the token is at fault. Where one replica alone is affected, delete its pod. Replicas go on by themselves when the broker is back."
- alert: SignmillReplyRefused
  expr: sum by (messaging_destination_name, error_type) (rate(messaging_client_operation_duration_seconds_count{ {{- $series -}} ,messaging_operation_name="send",error_type!=""}[5m])) > 0
  for: 5m
  severity: critical
  summary: A reply queue refuses replies
  description: "It is full, disabled or gone, or the right to send is missing. Replicas keep the results that they have, and take no jobs, until it takes replies again."
  runbook: "signmill doctor says which it is. Where the queue is full, let who takes the results run. Else make the queue anew, or give the worker's identity Azure Service Bus Data Sender on it. Nothing has to be restarted."
- alert: SignmillLocksLate
  expr: histogram_quantile(0.05, sum by (le) (rate(signmill_lock_margin_seconds_bucket{ {{- $series -}} }[10m]))) < 2
  for: 10m
  severity: warning
  summary: Locks of jobs are renewed with less than 2 s left
  description: "The replicas lack CPU, or the broker is slow. Jobs whose lock is lost are done twice, and seen once."
  runbook: "Look for CPU that is throttled: the chart sets no limit, a LimitRange of the namespace may. Raise resources.requests.cpu, or lower worker.concurrency. Where the broker is slow for all, its own metrics say so; a premium namespace has more to give."
- alert: SignmillTracesDropped
  expr: sum(increase(signmill_spans_dropped_total{ {{- $series -}} }[15m])) > 0
  for: 15m
  severity: warning
  summary: Spans are dropped
  description: "No job is delayed or lost; traces have gaps. The queue for traces is full, gone or slow, or there are more spans than it takes."
  runbook: "signmill doctor looks at the queue of tracing.queue. Let signmill traces relay run if the queue fills up, or trace a part of the jobs with OTEL_TRACES_SAMPLER=parentbased_traceidratio and OTEL_TRACES_SAMPLER_ARG in worker.extraEnv."
{{- if .Values.scaling.enabled }}
- alert: SignmillScaledToZero
  expr: max({{ range $i, $label := list "namespace" "exported_namespace" }}{{ if $i }} or {{ end }}keda_scaler_metrics_value{ {{- $label }}="{{ include "signmill.namespace" $ }}",scaledObject="{{ $name }}",metric=~"s[0-9]+-azure-servicebus-.*"}{{ end }}) > 0 and sum(kube_deployment_spec_replicas{namespace="{{ include "signmill.namespace" . }}",deployment="{{ $name }}"}) == 0
  for: 3m
  severity: critical
  summary: Messages wait, and there is no replica
  description: "A management endpoint that throttles makes KEDA 2.21 scale a busy queue to zero, whatever the fallback says."
  runbook: "Set scaling.minReplicas to 1, which brings the first replica back. A longer scaling.pollingInterval spares the endpoint."
{{- end }}
{{- end -}}

{{/* signmill.new finds counters that grew in the last 15 minutes, or appeared: a counter that is counted once appears with 1, which is no growth. */}}
{{- define "signmill.new" -}}
{{- $counter := printf "%s{%s}" (index . 1) (index . 2) -}}
sum by ({{ first . }}) (increase({{ $counter }}[15m])) > 0 or sum by ({{ first . }}) ({{ $counter }} unless {{ $counter }} offset 15m) > 0
{{- end -}}
