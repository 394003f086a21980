import { Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { CLASSES, INSTANCES } from "#crds/index.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { NETWORK_POLICIES, PERSISTENT_VOLUME_CLAIMS } from "#lib/kube/resource.ts";
import type { ResourceType } from "#lib/kube/types.ts";
import { createLogger } from "#lib/log.ts";
import { waitFor } from "#test/cluster/wait.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import {
  adminClient,
  classNamed,
  createSandbox,
  instanceNamed,
  isReady,
  type RunningOperator,
  startNode,
  startOperator,
  untilInstance,
} from "../operator.fixture.ts";
import { findSuspects, SWEPT } from "./orphans.ts";
import { createSweep, type Sweep } from "./sweep.ts";

const MINUTES = 60_000;
const log = createLogger("test", "error");
const { signal } = new AbortController();
let client: KubeClient;
let namespace: string;
let operator: RunningOperator;
let node: Awaited<ReturnType<typeof startNode>>;
let clock: ManualClock;
let sweep: Sweep;
/** What the sweep asked. */
let asked: string[];

beforeAll(() => {
  client = adminClient(inject("kubeconfig"));
});
afterAll(() => client.close());

beforeEach(async () => {
  namespace = await createSandbox(client);
  await client.create(CLASSES, classNamed(namespace));
  node = await startNode(client, namespace);
  operator = await startOperator(inject("kubeconfig"), namespace);
  clock = new ManualClock();
  asked = [];
  const observed = new Proxy(client, {
    get(target, verb: keyof KubeClient) {
      return (type: ResourceType, ...rest: unknown[]) => {
        asked.push(`${verb} ${type.plural}`);
        return (target[verb] as (...args: unknown[]) => unknown)(type, ...rest);
      };
    },
  });
  sweep = createSweep({ client: observed, caches: operator.caches, clock, log, registry: new Registry() });
});

afterEach(async () => {
  await operator.stop();
  await node.stop();
  await client.delete(CLASSES, { name: namespace });
});

async function createReady(name: string): Promise<void> {
  await client.create(INSTANCES, instanceNamed(namespace, name, { className: namespace }));
  await untilInstance(client, { namespace, name }, isReady);
}

async function swept(afterMs = 0): Promise<number> {
  await clock.advance(afterMs);
  return sweep.sweep(signal);
}

const suspects = () => findSuspects(operator.caches).map(({ type }) => type.plural);
const policy = () => client.get(NETWORK_POLICIES, { namespace, name: `openclaw-class.${namespace}` });
const claim = (name: string) => client.get(PERSISTENT_VOLUME_CLAIMS, { namespace, name: `openclaw-${name}` });

describe("the sweep", () => {
  it("asks nothing where all is in order", async () => {
    await createReady("alice");
    expect([await swept(), await swept(11 * MINUTES), await swept(11 * MINUTES)]).toEqual([0, 0, 0]);
    expect(asked).toEqual([]);
  });

  it("deletes what an instance deleted with --cascade=orphan left, after a while, and keeps its volume", async () => {
    await createReady("alice");
    await createReady("bob");
    await client.delete(INSTANCES, { namespace, name: "alice" }, { propagationPolicy: "Orphan" });
    await waitFor("orphans in the caches", () => suspects().length === 4);
    expect(suspects().sort()).toEqual(["configmaps", "pods", "secrets", "services"]);
    expect(await swept()).toBe(0);
    // A clock that is set says nothing of how long an orphan has been one.
    clock.jump(60 * MINUTES);
    expect(await swept(5 * MINUTES)).toBe(0);
    expect(asked).toEqual([]);
    expect(await swept(6 * MINUTES)).toBe(4);
    for (const type of SWEPT) {
      await waitFor(`no ${type.kind}`, async () => !(await client.get(type, { namespace, name: "openclaw-alice" })));
    }
    expect(await claim("alice")).toBeDefined();
    expect(await policy()).toBeDefined();
    expect((await client.get(INSTANCES, { namespace, name: "bob" }))?.status?.phase).toBe("Ready");
  });

  it("leaves to their instance what only lost its owner: that says that a name is taken", async () => {
    await createReady("alice");
    await operator.stop();
    const [pods] = SWEPT;
    if (!pods) throw new TypeError("nothing is swept");
    await client.mergePatch(pods, { namespace, name: "openclaw-alice" }, { metadata: { ownerReferences: null } });
    operator = await startOperator(inject("kubeconfig"), namespace);
    sweep = createSweep({ client, caches: operator.caches, clock, log, registry: new Registry() });
    expect([await swept(), await swept(11 * MINUTES)]).toEqual([0, 0]);
    expect(await client.get(pods, { namespace, name: "openclaw-alice" })).toBeDefined();
  });

  it("deletes the policy of a class that nobody in the namespace is of, and not while one is that the caches do not know", async () => {
    await createReady("alice");
    await client.delete(INSTANCES, { namespace, name: "alice" });
    await waitFor("only the policy to be left", () => suspects().join() === "networkpolicies");
    expect(await swept()).toBe(0);
    await operator.stop();
    await client.create(INSTANCES, instanceNamed(namespace, "carol", { className: namespace }));
    expect(await swept(11 * MINUTES)).toBe(0);
    await client.delete(INSTANCES, { namespace, name: "carol" });
    expect(await swept(11 * MINUTES)).toBe(1);
    expect(await policy()).toBeUndefined();
    expect(await claim("alice")).toBeDefined();
  });
});
