{{- define "hatchery.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "hatchery.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: hatchery
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: hatchery
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* Labels that tell the pods of one process; the argument is a dict of root and component. */ -}}
{{- define "hatchery.selector" -}}
app.kubernetes.io/name: hatchery
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/part-of: hatchery
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- /* Metadata of an object of one process. */ -}}
{{- define "hatchery.metadata" -}}
name: {{ include "hatchery.fullname" .root }}-{{ .component }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "hatchery.labels" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "hatchery.keysSecret" -}}
{{- .Values.keys.existingSecret | default (printf "%s-keys" (include "hatchery.fullname" .)) -}}
{{- end }}

{{- /*
The data of a Secret that is generated once: what is there, and new values for what is not. Random values must be the same
wherever one rendering asks for them (the Secret, the checksum of its content), so the first answer is noted in the values.
The argument is a dict of root, values (with existingSecret, where the user made it), name (of the Secret) and new.
*/ -}}
{{- define "hatchery.generated" -}}
{{- if not (hasKey .values "data") -}}
{{- $live := lookup "v1" "Secret" .root.Release.Namespace .name | default dict -}}
{{- $new := ternary .new dict (empty .values.existingSecret) -}}
{{- $_ := set .values "data" (merge (deepCopy ($live.data | default dict)) $new) -}}
{{- end -}}
{{- toYaml .values.data -}}
{{- end }}

{{- define "hatchery.keys" -}}
{{- $new := dict "OPENCLAW_ENCRYPTION_KEY" (randBytes 32 | b64enc) "OA_INTERNAL_KEY" (randAlphaNum 48 | b64enc) -}}
{{- if .Values.api.control.enabled }}{{ $_ := set $new "OA_CONTROL_KEY" (randAlphaNum 48 | b64enc) }}{{ end -}}
{{- include "hatchery.generated" (dict "root" . "values" .Values.keys "name" (include "hatchery.keysSecret" .) "new" $new) -}}
{{- end }}

{{- define "hatchery.providerSecret" -}}
{{- include "hatchery.fullname" . }}-model-providers
{{- end }}

{{- /* The environment variable that holds a provider's key. */ -}}
{{- define "hatchery.providerKey" -}}
PROVIDER_KEY_{{ . | upper | replace "-" "_" }}
{{- end }}
