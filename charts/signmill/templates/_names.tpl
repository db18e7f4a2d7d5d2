{{/* signmill.name is the release's name, with the chart's where that is not in it. */}}
{{- define "signmill.name" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else -}}
{{- $chart := default .Chart.Name .Values.nameOverride -}}
{{ ternary .Release.Name (printf "%s-%s" .Release.Name $chart) (contains $chart .Release.Name) | trunc 63 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- define "signmill.namespace" -}}
{{ .Values.namespaceOverride | default .Release.Namespace }}
{{- end -}}

{{- define "signmill.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "signmill.labels" -}}
{{ include "signmill.selector" . }}
app.kubernetes.io/component: worker
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: signmill
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "signmill.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (ternary (include "signmill.name" .) "default" .Values.serviceAccount.create) }}
{{- end -}}

{{- define "signmill.image" -}}
{{- with .Values.image -}}
{{ if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}

{{- define "signmill.policyConfigMap" -}}
{{ .Values.policyConfigMap | default (printf "%s-policy" (include "signmill.name" .)) }}
{{- end -}}

{{/* signmill.series selects the replicas' series, by the labels that a PodMonitor gives them. */}}
{{- define "signmill.series" -}}
namespace="{{ include "signmill.namespace" . }}",pod=~"{{ include "signmill.name" . }}-[a-z0-9]+-[a-z0-9]+"
{{- end -}}
