{{/* signmill.cloud is the worker's word for the cloud of the namespace. */}}
{{- define "signmill.cloud" -}}
{{- if hasSuffix ".usgovcloudapi.net" .Values.serviceBus.namespace }}usgovernment
{{- else if hasSuffix ".chinacloudapi.cn" .Values.serviceBus.namespace }}china
{{- else }}public
{{- end -}}
{{- end -}}

{{/* signmill.kedaNamespace tells KEDA which namespace to read, where a secret does not. */}}
{{- define "signmill.kedaNamespace" -}}
{{- if not .Values.serviceBus.connectionString.secret -}}
namespace: {{ first (splitList "." .Values.serviceBus.namespace) | quote }}
cloud: {{ get (dict "public" "AzurePublicCloud" "usgovernment" "AzureUSGovernmentCloud" "china" "AzureChinaCloud") (include "signmill.cloud" .) }}
{{- end -}}
{{- end -}}
