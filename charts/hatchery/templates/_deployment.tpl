{{- /*
Deployment of one process. The argument is a dict:
  root, component    as everywhere
  values             its part of the values (replicas, resources)
  nodeFlags          list of flags for Node, if it needs any
  env                YAML list of its own environment variables
  initContainers     YAML list of containers to run before it, if any
  volumes, mounts    YAML lists, if it needs any
  port               public port, if it has one
  controlPort        port of the internal listener, if it has one
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
      {{- with include "hatchery.placement" $root }}
      {{- . | nindent 6 }}
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
      {{- with .initContainers }}
      initContainers:
        {{- . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ include "hatchery.image" $root }}
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
            {{- with .controlPort }}
            - {name: control, containerPort: {{ . }}}
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
            {{- include "hatchery.containerSecurity" . | nindent 12 }}
          {{- with .mounts }}
          volumeMounts:
            {{- . | nindent 12 }}
          {{- end }}
      {{- with .volumes }}
      volumes:
        {{- . | nindent 8 }}
      {{- end }}
{{- end }}

{{- /* The image of our own processes. */ -}}
{{- define "hatchery.image" -}}
{{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
{{- end }}

{{- define "hatchery.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- /* Where pods of the control plane run, and with which Secrets their images are pulled; may be empty. */ -}}
{{- define "hatchery.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
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
