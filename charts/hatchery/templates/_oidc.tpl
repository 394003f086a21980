{{- /* How the API learns of issuers, and how it reaches them. */ -}}
{{- define "hatchery.oidcEnv" -}}
{{- with .Values.oidc -}}
- name: OIDC_ISSUERS
  value: {{ .issuers | toJson | quote }}
- name: OIDC_CLOCK_LEEWAY_SECONDS
  value: {{ .clockLeewaySeconds | int | quote }}
- name: OIDC_KEY_REFRESH_SECONDS
  value: {{ .keyRefreshSeconds | int | quote }}
- name: OIDC_MAX_TOKEN_AGE_SECONDS
  value: {{ .maxTokenAgeSeconds | int | quote }}
{{- if .caSecret.name }}
- name: OIDC_CA_FILE
  value: /etc/hatchery/oidc/ca.crt
{{- end }}
{{- end -}}
{{- end }}

{{- define "hatchery.oidcVolumes" -}}
{{- with .Values.oidc.caSecret -}}
{{- if .name -}}
- name: oidc-ca
  secret:
    secretName: {{ .name }}
    items: [{key: {{ .key | quote }}, path: ca.crt}]
{{- end -}}
{{- end -}}
{{- end }}
{{- define "hatchery.oidcMounts" -}}
{{- if .Values.oidc.caSecret.name -}}
- {name: oidc-ca, mountPath: /etc/hatchery/oidc, readOnly: true}
{{- end -}}
{{- end }}

{{- /* Wherever they are: a discovery document may name another host for the keys, by https. */ -}}
{{- define "hatchery.egressToIssuers" -}}
{{- with .Values.oidc -}}
{{- if .issuers -}}
{{- $ports := concat .ports (list 443) -}}
{{- range .issuers -}}
{{- $ports = append $ports (include "hatchery.portOf" .issuer | int) -}}
{{- with .jwksUri }}{{ $ports = append $ports (include "hatchery.portOf" . | int) }}{{ end -}}
{{- end -}}
- ports:
    {{- range $ports | uniq | sortAlpha }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end -}}
{{- end -}}
{{- end }}
