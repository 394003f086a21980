import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GATEWAY_PORT } from "#crds/index.ts";
import { createKubeClient, type KubeClient } from "#lib/kube/client.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { NAMESPACES, SERVICE_ACCOUNTS } from "#lib/kube/resource.ts";
import { createLogger } from "#lib/log.ts";
import { type Component, startComponent } from "#test/cluster/component.ts";
import { type ControlPlane, startControlPlane } from "#test/cluster/control-plane.ts";
import { here } from "#test/cluster/paths.ts";
import { waitFor } from "#test/cluster/wait.ts";
import { type AuditTail, tailAudit } from "../kit/audit-tail.ts";
import { readUsage } from "../kit/process-usage.ts";
import type { Contender } from "./contender.ts";

/** An apiserver of its own for one contender, with a node that is none. */
export interface Rig {
  readonly plane: ControlPlane;
  readonly client: KubeClient;
  readonly contender: Contender;
  /** Where all objects are created. */
  readonly namespace: string;
  /** Files that go with the rig. */
  readonly dir: string;
  /** A new tail of the audit log. */
  tail(): Promise<AuditTail>;
  /** CPU seconds used so far, by process. */
  cpuSeconds(): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

const NAMESPACE = "tenants";

/** What the fake node does in the place of controllers: two would write where one is measured. */
const REPLACED_CONTROLLERS = [
  "persistentvolume-binder-controller",
  "node-lifecycle-controller",
  "taint-eviction-controller",
];

/** They look at all pods of a namespace for each of its services, and nobody asks for what they write. */
const UNUSED_CONTROLLERS = ["endpoints-controller", "endpointslice-controller", "endpointslice-mirroring-controller"];

/** Starts a rig with the contender's kinds, but not the contender. */
export async function startRig(contender: Contender, podDelayMs: number): Promise<Rig> {
  const dir = await mkdtemp(join(tmpdir(), "hatchery-bench-"));
  const controllers = ["*", ...[...REPLACED_CONTROLLERS, ...UNUSED_CONTROLLERS].map((name) => `-${name}`)].join(",");
  const plane = await startControlPlane({ audit: true, controllerManagerFlags: ["--controllers", controllers] });
  const log = createLogger("bench", "warn");
  const client = createKubeClient({ config: loadKubeAccess(plane.kubeconfig), userAgent: "hatchery-bench", log });
  let node: Component | undefined;
  const stop = async () => {
    await node?.kill();
    await client.close();
    await plane.stop();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await contender.install({ plane, client });
    await client.create(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
    await waitFor("the default ServiceAccount", () =>
      client.get(SERVICE_ACCOUNTS, { namespace: NAMESPACE, name: "default" }),
    );
    const env = { KUBECONFIG: plane.kubeconfig, GATEWAY_PORT: String(GATEWAY_PORT), POD_DELAY_MS: String(podDelayMs) };
    node = startNode(env, join(dir, "fake-node.log"));
    const pids = { ...plane.pids, "fake-node": node.pid };
    const auditLog = plane.auditLog ?? "";
    return {
      plane,
      client,
      contender,
      namespace: NAMESPACE,
      dir,
      tail: () => tailAudit(auditLog),
      cpuSeconds: () => cpuSecondsOf(pids),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startNode(env: Readonly<Record<string, string>>, log: string): Component {
  const file = here("..", "bench", "operator", "fake-node.ts");
  const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return startComponent(["env", ...pairs, process.execPath, file], log);
}

async function cpuSecondsOf(pids: Readonly<Record<string, number>>): Promise<Record<string, number>> {
  const entries = Object.entries(pids).map(async ([name, pid]) => [name, (await readUsage(pid)).cpuSeconds] as const);
  return Object.fromEntries(await Promise.all(entries));
}
