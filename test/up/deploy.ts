import { run } from "#test/cluster/shell.ts";
import type { ModelProvider } from "./provider.ts";
import { installSimulator, SIMULATOR_API_KEY, SIMULATOR_URL } from "./simulator.ts";

/** A Kubernetes and the programs to talk to it. */
export interface Target {
  readonly kubeconfig: string;
  readonly kubectl: string;
  readonly helm: string;
  /** Chart values that depend on the cluster. */
  readonly values?: Readonly<Record<string, unknown>>;
  /** Fields of the class `standard` that depend on the cluster's size. */
  readonly standardClass?: Readonly<Record<string, unknown>>;
}

/** Image references as the cluster's nodes know them. */
export interface ImageRefs {
  readonly server: string;
  readonly openclaw: string;
  readonly postgres: string;
  readonly simulator: string;
}

export interface Deployment {
  readonly namespace: string;
  readonly tenantNamespace: string;
  readonly internalKey: string;
}

export const RELEASE = "hatchery";
export const NAMESPACE = "hatchery";
export const TENANT_NAMESPACE = "hatchery-tenants";
/** Id of the user who is an admin there. */
export const ADMIN = "root";
const CHART = new URL("../../charts/hatchery", import.meta.url).pathname;

/**
 * Installs the chart, or upgrades it where anything changed, and waits until all of it is ready. Without `provider` the simulated one is installed beside it.
 * @throws CommandError with helm's or kubectl's own words.
 */
export async function deployHatchery(target: Target, images: ImageRefs, provider?: ModelProvider): Promise<Deployment> {
  if (!provider) await installSimulator(target, images.simulator);
  const { baseUrl, apiKey, model } = provider ?? {
    baseUrl: SIMULATOR_URL,
    apiKey: SIMULATOR_API_KEY,
    model: "simulated-1",
  };
  const values = {
    tenantNamespace: { name: TENANT_NAMESPACE },
    image: splitImage(images.server),
    standardClass: {
      image: images.openclaw,
      models: [{ name: "default", provider: "default", providerModel: model }],
      ...target.standardClass,
    },
    modelProviders: [{ name: "default", baseUrl, apiKey }],
    postgres: { image: splitImage(images.postgres), storage: { size: "1Gi" } },
    // Whoever holds the internal key names users as they come; nobody has to let them in.
    access: { mode: "open", adminUserIds: [ADMIN] },
    ...target.values,
  };
  const args = [
    "upgrade",
    "--install",
    RELEASE,
    CHART,
    "--namespace",
    NAMESPACE,
    "--create-namespace",
    "--values",
    "-",
    "--wait",
    "--timeout",
    "5m",
  ];
  await run([target.helm, ...args, "--kubeconfig", target.kubeconfig], { input: JSON.stringify(values) });
  return { namespace: NAMESPACE, tenantNamespace: TENANT_NAMESPACE, internalKey: await readInternalKey(target) };
}

async function readInternalKey(target: Target): Promise<string> {
  const jsonpath = "jsonpath={.data.OA_INTERNAL_KEY}";
  const text = await kubectl(
    target,
    "get",
    "secret",
    `${RELEASE}-keys`,
    "--namespace",
    NAMESPACE,
    "--output",
    jsonpath,
  );
  return Buffer.from(text, "base64").toString("utf8");
}

function splitImage(reference: string): { repository: string; tag: string } {
  const colon = reference.lastIndexOf(":");
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

/** Runs kubectl against the target and answers what it printed. */
export function kubectl(target: Target, ...args: string[]): Promise<string> {
  return run([target.kubectl, ...args, "--kubeconfig", target.kubeconfig]);
}
