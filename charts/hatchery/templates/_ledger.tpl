{{- /* Labels that tell the pods of the ledger's check, which end and have no metrics. */ -}}
{{- define "hatchery.ledgerSelector" -}}
app.kubernetes.io/name: ledger
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: ledger
{{- end }}
