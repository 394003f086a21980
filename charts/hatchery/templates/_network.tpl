{{- /*
Rules that all processes share. Enforcement sees packets after a Service was translated, so rules name pods and the ports
they listen on, never Services. The apiserver is no pod, and in some networks no address block matches it: without CIDRs the
rule names ports alone, which every network understands.
*/ -}}
{{- define "hatchery.egressToClusterServices" -}}
- ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- with .Values.network.kubernetesApi }}
- ports:
    {{- range .ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
  {{- with .cidrs }}
  to:
    {{- range . }}
    - ipBlock: {cidr: {{ . | quote }}}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{- /* Probes come from the node, which no policy keeps out; scrapers come from where the values say. */ -}}
{{- define "hatchery.ingressToOps" -}}
{{- with .Values.metrics.allowFrom -}}
- ports: [{protocol: TCP, port: ops}]
  from:
    {{- toYaml . | nindent 4 }}
{{- end -}}
{{- end }}

{{- /* The pods of instances; the argument is a namespaceSelector as YAML. */ -}}
{{- define "hatchery.egressToInstances" -}}
- ports: [{protocol: TCP, port: 18789}]
  to:
    - namespaceSelector: {{ . }}
      podSelector:
        matchLabels: {app.kubernetes.io/managed-by: hatchery-operator}
{{- end }}

{{- /* The port of an http(s) URL. */ -}}
{{- define "hatchery.portOf" -}}
{{- $url := urlParse . -}}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (ternary 443 80 (eq $url.scheme "https")) -}}
{{- end }}
