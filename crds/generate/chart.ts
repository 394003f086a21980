/**
 * A CRD as a template of the chart. CRDs are templates because Helm never upgrades what lies in a chart's `crds/` folder;
 * the keep policy makes an uninstall leave them, and so every instance, alone.
 * @throws Error when the YAML holds template syntax, which Helm would carry out.
 */
export function chartTemplate(yaml: string): string {
  if (yaml.includes("{{")) throw new Error("the CRD holds {{, which Helm would take for its own");
  const metadata = "metadata:\n";
  const annotated = yaml.replace(
    metadata,
    [
      metadata.trimEnd(),
      "  {{- if .Values.crds.keep }}",
      "  annotations:",
      "    helm.sh/resource-policy: keep",
      "  {{- end }}",
      "  labels:",
      '    {{- include "hatchery.labels" . | nindent 4 }}',
      "",
    ].join("\n"),
  );
  return ["{{- if .Values.crds.install }}", annotated.trimEnd(), "{{- end }}", ""].join("\n");
}
