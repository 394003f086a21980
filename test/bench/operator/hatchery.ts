import { copyFile, mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLASSES, GROUP, INSTANCES, LABEL, type OpenClawClass, type OpenClawInstance, VERSION } from "#crds/index.ts";
import { CONFIG_MAPS, NAMESPACES, PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS, SERVICES } from "#lib/kube/resource.ts";
import { installCrds } from "#test/harness/integration-setup.ts";
import { withBundles } from "#test/images/bundles.ts";
import { ROOT } from "#test/images/paths.ts";
import { environmentOfImage } from "../kit/shipped.ts";
import type { Contender } from "./contender.ts";

const NAMESPACE = "hatchery";
const CLASS = "standard";
const DEPLOYMENT = join(ROOT, "charts/hatchery/templates/operator/deployment.yaml");

let bundled: Promise<string> | undefined;

/** Our own operator as it is shipped: the bundle, with the flags of the image. */
export const hatchery: Contender<OpenClawInstance> = {
  name: "hatchery",
  userAgent: "hatchery-operator/",
  type: INSTANCES,

  async install({ plane, client }) {
    await installCrds(plane);
    await client.create(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
    await client.create(CLASSES, benchClass());
  },

  async command({ kubeconfig, port, profileDir }) {
    bundled ??= bundleOperator();
    const file = await bundled;
    const flags = profileDir ? ["--cpu-prof", "--cpu-prof-dir", profileDir] : [];
    return {
      argv: [process.execPath, ...flags, ...(await nodeFlagsOfChart()), file],
      env: {
        ...(await environmentOfImage()),
        OPENCLAW_ENCRYPTION_KEY: "b7".repeat(32),
        MODEL_GATEWAY_URL: "http://model-gateway.hatchery.svc:8080",
        POD_NAMESPACE: NAMESPACE,
        POD_NAME: "operator-0",
        OPS_PORT: String(port),
        KUBECONFIG: kubeconfig,
      },
    };
  },

  object: (namespace, name) => ({
    apiVersion: `${GROUP}/${VERSION}`,
    kind: INSTANCES.kind,
    metadata: { namespace, name },
    spec: { owner: { subject: name }, className: CLASS, deletionPolicy: "Delete" } as OpenClawInstance["spec"],
  }),

  isReady: ({ metadata, status }) => status?.phase === "Ready" && status.observedGeneration === metadata.generation,

  ownerOf: ({ metadata }) => metadata.labels?.[LABEL.instance],

  children: (name) => {
    const child = `openclaw-${name}`;
    return [
      { type: SECRETS, name: child, drift: { data: { "gateway-token": "eA==" } } },
      { type: CONFIG_MAPS, name: child, drift: { data: { "openclaw.json": "{}" } } },
      { type: PERSISTENT_VOLUME_CLAIMS, name: child, drift: { metadata: { labels: { [LABEL.tenant]: "other" } } } },
      { type: SERVICES, name: child, drift: { spec: { selector: { extra: "one" } } } },
      // A pod is never patched: another one is made when it is no longer as it should be.
      { type: PODS, name: child },
    ];
  },
};

function benchClass(): OpenClawClass {
  return {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: CLASSES.kind,
    metadata: { name: CLASS },
    spec: {
      image: "registry.test/openclaw:2026.9.6-0123456789ab",
      resources: { requests: { cpu: "500m", memory: "1Gi" }, limits: { cpu: "2", memory: "2Gi" } },
      storage: { size: "1Gi" },
      models: [{ name: "default", provider: "simulated", providerModel: "simulated-1" }],
    } as unknown as OpenClawClass["spec"],
  };
}

/** The bundle at a place where nobody builds another one meanwhile. */
function bundleOperator(): Promise<string> {
  return withBundles(["operator"], async (folder) => {
    const dir = await mkdtemp(join(tmpdir(), "hatchery-bench-bundle-"));
    for (const file of ["operator.mjs", "operator.mjs.map"]) await copyFile(join(folder, file), join(dir, file));
    return join(dir, "operator.mjs");
  });
}

/** What the chart tells Node beside the file to run. */
async function nodeFlagsOfChart(): Promise<string[]> {
  const [, list] = /\$flags := list ([^}]+) }}/.exec(await readFile(DEPLOYMENT, "utf8")) ?? [];
  if (list === undefined) throw new Error(`${DEPLOYMENT} lists no flags`);
  return [...list.matchAll(/"([^"]+)"/g)].map(([, flag = ""]) => flag);
}
