{{- /*
Deployment of one process. The argument is a dict:
  root, component    as everywhere
  values             its part of the values (replicas, resources)
  nodeFlags          list of flags for Node, if it needs any
  env                YAML list of its own environment variables
  port               public port, if it has one
  graceSeconds       how long it may take to end
  checksums          dict of annotation to text: a change of the text replaces the pods
*/ -}}
{{- define "hatchery.deployment" -}}
{{- $root := .root -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "hatchery.metadata" . | nindent 2 }}
spec:
  replicas: {{ .values.replicas }}
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels:
      {{- include "hatchery.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "hatchery.selector" . | nindent 8 }}
      annotations:
        kubectl.kubernetes.io/default-container: {{ .component }}
        {{- range $name, $text := .checksums }}
        checksum/{{ $name }}: {{ $text | sha256sum }}
        {{- end }}
        {{- with $root.Values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "hatchery.fullname" $root }}-{{ .component }}
      # It watches the apiserver; its ServiceAccount gives the token to nobody else.
      automountServiceAccountToken: true
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ .graceSeconds }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        seccompProfile: {type: RuntimeDefault}
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $root.Values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with $root.Values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $root.Values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $root.Values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if gt (int .values.replicas) 1 }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "hatchery.selector" . | nindent 14 }}
      {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ printf "%s:%s" $root.Values.image.repository ($root.Values.image.tag | default $root.Chart.AppVersion) | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          command: [node, {{ range .nodeFlags }}{{ . }}, {{ end }}/app/{{ .component }}.mjs]
          env:
            - name: OPENCLAW_ENCRYPTION_KEY
              valueFrom:
                secretKeyRef: {name: {{ include "hatchery.keysSecret" $root }}, key: OPENCLAW_ENCRYPTION_KEY}
            - name: OPS_PORT
              value: "9090"
            - name: LOG_LEVEL
              value: {{ $root.Values.logLevel }}
            {{- trim .env | nindent 12 }}
          ports:
            {{- with .port }}
            - {name: http, containerPort: {{ . }}}
            {{- end }}
            - {name: ops, containerPort: 9090}
          # Until the first answer; afterwards the other two judge.
          startupProbe:
            httpGet: {path: /livez, port: ops}
            periodSeconds: 1
            timeoutSeconds: 3
            failureThreshold: 60
          livenessProbe:
            httpGet: {path: /livez, port: ops}
            periodSeconds: 20
            timeoutSeconds: 5
            failureThreshold: 3
          readinessProbe:
            httpGet: {path: /readyz, port: ops}
            periodSeconds: 5
            timeoutSeconds: 3
            failureThreshold: 2
          resources:
            {{- toYaml .values.resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
{{- end }}

{{- /* ServiceAccount of one process, and a disruption budget once it has replicas to spare. */ -}}
{{- define "hatchery.account" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "hatchery.metadata" . | nindent 2 }}
automountServiceAccountToken: false
{{- if gt (int .values.replicas) 1 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "hatchery.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "hatchery.selector" . | nindent 6 }}
{{- end }}
{{- end }}
