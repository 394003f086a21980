import { randomBytes } from "node:crypto";
import { Registry } from "prom-client";
import {
  GATEWAY_PORT,
  GROUP,
  INSTANCES,
  type InstanceSpecInput,
  type OpenClawClass,
  type OpenClawInstance,
  VERSION,
} from "#crds/index.ts";
import { systemClock } from "#lib/clock.ts";
import { keysReady, newSlot, parseKeyRing } from "#lib/keys.ts";
import { createKubeClient, type KubeClient } from "#lib/kube/client.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { runManager } from "#lib/kube/manager.ts";
import { NAMESPACES } from "#lib/kube/resource.ts";
import { createLogger } from "#lib/log.ts";
import { createOpsServer } from "#lib/ops-server.ts";
import type { ControlPlane } from "#test/cluster/control-plane.ts";
import { waitFor } from "#test/cluster/wait.ts";
import { type FakeNode, type FakeNodeOptions, startFakeNode } from "#test/harness/fake-node.ts";
import { createOperator, type Operator, type OperatorOptions } from "./operator.ts";
import { createGatewayCall } from "./probe/call-gateway.ts";
import { createGatewaySuspension } from "./probe/suspend-gateway.ts";

/** The root key of all tests. */
export const ROOT_KEY = "c3".repeat(32);

/** User agent of the operators under test, by which the audit log tells their requests apart. */
export const OPERATOR_AGENT = "hatchery-operator-under-test";

const testLog = createLogger("test", (process.env.TEST_LOG ?? "warn") as "warn");

/** A client with all rights. */
export function adminClient(kubeconfig: string, userAgent = "test"): KubeClient {
  return createKubeClient({ config: loadKubeAccess(kubeconfig), userAgent, log: testLog });
}

/** A namespace of the test's own, with the name of a class of its own. */
export async function createSandbox(client: KubeClient): Promise<string> {
  const name = `t-${randomBytes(4).toString("hex")}`;
  await client.create(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  return name;
}

/** A class as small as can be. */
export function classNamed(name: string, spec: Partial<OpenClawClass["spec"]> = {}): OpenClawClass {
  return {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: "OpenClawClass",
    metadata: { name },
    spec: {
      image: "registry.test/openclaw:2026.9.6-0123456789ab",
      resources: { requests: { cpu: "500m", memory: "1Gi" }, limits: { cpu: "2", memory: "2Gi" } },
      storage: { size: "1Gi" },
      models: [{ name: "default", provider: "simulated", providerModel: "simulated-1" }],
      ...spec,
    } as OpenClawClass["spec"],
  };
}

/** An instance of a tenant called as itself. */
export function instanceNamed(
  namespace: string,
  name: string,
  spec: Partial<InstanceSpecInput> = {},
): OpenClawInstance {
  return {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: "OpenClawInstance",
    metadata: { namespace, name },
    spec: { owner: { subject: name }, ...spec } as OpenClawInstance["spec"],
  };
}

/** A running operator, in this process. */
export interface RunningOperator extends Operator {
  readonly client: KubeClient;
  readonly registry: Registry;
  stop(): Promise<void>;
}

/**
 * Starts an operator without leader election, and resolves once its caches are synced: for one namespace with a class of its
 * own and all rights, or for the `namespaces` of the options.
 */
export async function startOperator(
  kubeconfig: string,
  namespace: string,
  options: Partial<OperatorOptions> = {},
): Promise<RunningOperator> {
  await keysReady();
  const { client = adminClient(kubeconfig, OPERATOR_AGENT), clock = systemClock, log = testLog } = options;
  const registry = new Registry();
  const stop = new AbortController();
  const gateways = createGatewayCall();
  const suspension = createGatewaySuspension();
  const operator = createOperator({
    client,
    ...("namespaces" in options ? {} : { namespaces: [namespace], classStatus: true, nodes: true }),
    settings: {
      keyRing: parseKeyRing(ROOT_KEY),
      modelGatewayUrl: "http://model-gateway.test:8080",
      namespace: "hatchery",
      dnsCidrs: [],
      operatorVersion: "0.0.0-test",
    },
    callGateway: gateways.call,
    suspension,
    gatewayRecheckMs: 180_000,
    workers: 4,
    classGatherMs: 100,
    identity: "operator-under-test",
    clock,
    log,
    registry,
    newSlot,
    ...options,
  });
  const running = runManager({
    informers: operator.informers,
    controllers: operator.controllers,
    opsServer: createOpsServer({ port: 0, host: "127.0.0.1", registry, checks: {}, log }),
    events: operator.events,
    client,
    log,
    clock,
    signal: stop.signal,
  });
  await Promise.race([running, Promise.all(operator.informers.map((informer) => informer.synced()))]);
  return {
    ...operator,
    client,
    registry,
    async stop() {
      stop.abort();
      try {
        await running;
      } finally {
        await Promise.all([gateways.close(), suspension.close()]);
      }
    },
  };
}

/** A fake node for one namespace; ends with `stop`. */
export async function startNode(
  client: KubeClient,
  namespace: string | undefined,
  fate?: FakeNodeOptions["fate"],
  name?: string,
): Promise<FakeNode & { stop(): Promise<void> }> {
  const stop = new AbortController();
  const node = await startFakeNode({
    client,
    namespace,
    gatewayPort: GATEWAY_PORT,
    log: testLog,
    signal: stop.signal,
    name,
    ...(fate ? { fate } : {}),
  });
  return {
    ...node,
    async stop() {
      stop.abort();
      await node.ended;
    },
  };
}

/** Watches instances until this one satisfies `wanted`, and answers it. */
export async function untilInstance(
  client: KubeClient,
  ref: { namespace: string; name: string },
  wanted: (instance: OpenClawInstance) => boolean,
): Promise<OpenClawInstance> {
  const end = new AbortController();
  try {
    const { items, resourceVersion } = await client.list(INSTANCES, { namespace: ref.namespace });
    const now = items.find(({ metadata }) => metadata.name === ref.name);
    if (now && wanted(now)) return now;
    const fieldSelector = `metadata.name=${ref.name}`;
    const watch = { namespace: ref.namespace, fieldSelector, resourceVersion, signal: end.signal };
    for await (const event of client.watch(INSTANCES, watch)) {
      if (event.type === "ADDED" || event.type === "MODIFIED") if (wanted(event.object)) return event.object;
    }
    throw new Error(`the watch ended before ${ref.name} was as wanted`);
  } finally {
    end.abort();
  }
}

/** An instance once it fails for this reason: `kubectl describe` tells of it and of its Event, and a counter counts it. */
export async function untilTold(
  client: KubeClient,
  { kubectl }: Pick<ControlPlane, "kubectl">,
  operator: RunningOperator,
  ref: { namespace: string; name: string },
  reason: string,
): Promise<OpenClawInstance> {
  const failed = await untilInstance(client, ref, ({ status }) => status?.failure?.reason === reason);
  const { step = "", message = "" } = failed.status?.failure ?? {};
  const event = new RegExp(`Events:[^]*Warning +${reason} `);
  const told = await waitFor(`an Event ${reason}`, async () => {
    const text = await kubectl("-n", ref.namespace, "describe", "openclawinstance", ref.name);
    return event.test(text) && text;
  });
  const metrics = await operator.registry.metrics();
  const counter = `hatchery_instance_failures_total{step="${step}",reason="${reason}"}`;
  if (!told.includes(message.slice(0, 40))) throw new Error(`nothing tells of ${reason}: ${message}`);
  if (!metrics.includes(counter) || metrics.includes(`${counter} 0\n`)) throw new Error(`nothing counts ${counter}`);
  return failed;
}

/** True for an instance that is ready and has heard of its latest spec. */
export function isReady({ metadata, status }: OpenClawInstance): boolean {
  return status?.phase === "Ready" && status.observedGeneration === metadata.generation;
}
