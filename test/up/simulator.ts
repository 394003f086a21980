import { run } from "#test/cluster/shell.ts";
import type { Target } from "./deploy.ts";

/** Nobody else has one of this name: it is removed whole. */
const NAMESPACE = "hatchery-model-provider";
const NAME = "model-simulator";
const PORT = 8080;

/** What the simulated provider demands; it guards nothing, it lets tests see that the provider's key stays outside the pods. */
export const SIMULATOR_API_KEY = "sk-simulated-provider";
/** Base URL of the simulated provider inside the cluster. */
export const SIMULATOR_URL = `http://${NAME}.${NAMESPACE}.svc.cluster.local:${PORT}/v1`;
/** Where tests and people find it: namespace, service and port. */
export const SIMULATOR_SERVICE = { namespace: NAMESPACE, name: NAME, port: PORT } as const;

/** Installs the simulated provider as an outsider would run it: in a namespace of its own. Waits until it is ready. */
export async function installSimulator(target: Target, image: string): Promise<void> {
  const kubeconfig = ["--kubeconfig", target.kubeconfig];
  const manifest = JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests(image) });
  const apply = ["apply", "--server-side", "--field-manager=hatchery-up", "--filename", "-"];
  await run([target.kubectl, ...apply, ...kubeconfig], { input: manifest });
  await run([
    target.kubectl,
    "rollout",
    "status",
    `deployment/${NAME}`,
    "--namespace",
    NAMESPACE,
    "--timeout=120s",
    ...kubeconfig,
  ]);
}

/** Removes the simulated provider with its namespace; fine when there is none. */
export async function removeSimulator({ kubectl, kubeconfig }: Target): Promise<void> {
  const args = ["delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s"];
  await run([kubectl, ...args, "--kubeconfig", kubeconfig]);
}

function manifests(image: string): object[] {
  const labels = { "app.kubernetes.io/name": NAME };
  const metadata = { name: NAME, namespace: NAMESPACE, labels };
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { selector: labels, ports: [{ name: "http", port: PORT, targetPort: "http" }] },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            automountServiceAccountToken: false,
            terminationGracePeriodSeconds: 1,
            securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
            containers: [
              {
                name: NAME,
                image,
                args: ["/app/model-simulator.mjs"],
                imagePullPolicy: "IfNotPresent",
                env: [
                  { name: "PORT", value: String(PORT) },
                  { name: "API_KEY", value: SIMULATOR_API_KEY },
                ],
                ports: [{ name: "http", containerPort: PORT }],
                readinessProbe: { httpGet: { path: "/healthz", port: "http" }, periodSeconds: 1 },
                resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "256Mi" } },
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ["ALL"] },
                },
              },
            ],
          },
        },
      },
    },
  ];
}
