{{- /* Where the tables are: the bundled Postgres, or the one that externalDatabase names. */ -}}

{{- define "hatchery.postgresSecret" -}}
{{- .Values.postgres.existingSecret | default (printf "%s-postgres" (include "hatchery.fullname" .)) -}}
{{- end }}

{{- define "hatchery.postgresPasswords" -}}
{{- $new := dict "OWNER_PASSWORD" (randAlphaNum 32 | b64enc) "API_PASSWORD" (randAlphaNum 32 | b64enc) -}}
{{- include "hatchery.generated" (dict "root" . "values" .Values.postgres "name" (include "hatchery.postgresSecret" .) "new" $new) -}}
{{- end }}

{{- /* Labels that tell the pod of the bundled Postgres, which is none of our processes and has no metrics of theirs. */ -}}
{{- define "hatchery.postgresSelector" -}}
app.kubernetes.io/name: postgres
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: postgres
{{- end }}

{{- /* Names of roles, host and database as a dict in YAML. */ -}}
{{- define "hatchery.database" -}}
{{- if .Values.postgres.enabled -}}
host: {{ include "hatchery.fullname" . }}-postgres.{{ .Release.Namespace }}.svc
port: 5432
name: hatchery
owner: hatchery
api: hatchery_api
{{- else -}}
{{- with .Values.externalDatabase -}}
host: {{ ternary (printf "[%s]" .host) .host (contains ":" .host) | quote }}
port: {{ .port }}
name: {{ .name | quote }}
owner: {{ .owner.user | quote }}
api: {{ .api.user | quote }}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Reference to the password of a role; the argument is a dict of root and role (owner or api). */ -}}
{{- define "hatchery.databasePassword" -}}
{{- if .root.Values.postgres.enabled -}}
secretKeyRef: {name: {{ include "hatchery.postgresSecret" .root }}, key: {{ upper .role }}_PASSWORD}
{{- else -}}
{{- with (get .root.Values.externalDatabase .role).existingSecret -}}
secretKeyRef: {name: {{ .name }}, key: {{ .key | quote }}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* The variables by which a process reaches the database in a role; the argument is a dict of root and role (owner or api). */ -}}
{{- define "hatchery.databaseEnv" -}}
{{- $database := include "hatchery.database" .root | fromYaml -}}
{{- $external := .root.Values.externalDatabase -}}
- name: DATABASE_URL
  value: {{ printf "postgresql://%s@%s:%d/%s" (get $database .role | urlquery) $database.host (int $database.port) (urlquery $database.name) | quote }}
- name: DATABASE_PASSWORD
  valueFrom:
    {{- include "hatchery.databasePassword" . | nindent 4 }}
{{- if not .root.Values.postgres.enabled }}
- name: DATABASE_TLS
  value: {{ $external.tls.mode }}
{{- if $external.tls.caSecret.name }}
- name: DATABASE_CA_FILE
  value: /etc/hatchery/postgres/ca.crt
{{- end }}
{{- end }}
{{- end }}

{{- /* The authorities that an external database's certificate is checked against, where they are given. */ -}}
{{- define "hatchery.databaseVolumes" -}}
{{- with .Values.externalDatabase.tls.caSecret -}}
{{- if and .name (not $.Values.postgres.enabled) -}}
- name: postgres-ca
  secret:
    secretName: {{ .name }}
    items: [{key: {{ .key | quote }}, path: ca.crt}]
{{- end -}}
{{- end -}}
{{- end }}
{{- define "hatchery.databaseMounts" -}}
{{- if include "hatchery.databaseVolumes" . -}}
- {name: postgres-ca, mountPath: /etc/hatchery/postgres, readOnly: true}
{{- end -}}
{{- end }}

{{- define "hatchery.egressToDatabase" -}}
{{- if .Values.postgres.enabled -}}
- ports: [{protocol: TCP, port: 5432}]
  to:
    - podSelector:
        matchLabels:
          {{- include "hatchery.postgresSelector" . | nindent 10 }}
{{- else -}}
{{- with .Values.externalDatabase -}}
- ports: [{protocol: TCP, port: {{ .port }}}]
  {{- with .cidrs }}
  to:
    {{- range . }}
    - ipBlock: {cidr: {{ . | quote }}}
    {{- end }}
  {{- end }}
{{- end -}}
{{- end -}}
{{- end }}
