{{/* What the worker's pods and the one of the doctor have in common. */}}
{{- define "signmill.podSecurity" -}}
runAsNonRoot: true
{{- if not .Values.openshift }}
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
{{- end }}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "signmill.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "signmill.mounts" -}}
# A folder, not a file in one: the worker follows its changes.
- {name: policy, mountPath: /etc/signmill, readOnly: true}
{{- with .Values.worker.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "signmill.volumes" -}}
- name: policy
  configMap: {name: {{ include "signmill.policyConfigMap" . }}}
{{- with .Values.worker.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
