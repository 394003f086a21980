import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NODES, PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS, SERVICES } from "#lib/kube/resource.ts";
import { waitFor } from "#test/cluster/wait.ts";
import { ensureLightGatewayImage } from "#test/harness/light-gateway/image.ts";
import { createSandbox, type Sandbox } from "./sandbox.ts";
import { connectSystem, type System } from "./system.ts";

/** Node that is lost in these tests. */
const LOST = { index: 2, name: "node2" };

let system: System;
let sandbox: Sandbox;
/** What takes its time: it goes on while the other tests run. */
let slow: Promise<unknown>;

beforeAll(async () => {
  system = await connectSystem();
  sandbox = await createSandbox(system);
  const [pending, small, away, important] = await Promise.all([
    sandbox.createClass("pending", { storage: { size: "300Mi", storageClassName: "nowhere" } }),
    sandbox.createClass("small", { resources: limited({ "ephemeral-storage": "24Mi" }) }),
    sandbox.createClass("away", { nodeLostSeconds: 1, scheduling }),
    sandbox.createClass("important", { scheduling: { priorityClassName: "system-cluster-critical" } }),
    // Of pods with a priority only, so that those of the other tests have room.
    sandbox.kubectl("create", "quota", "none", "--hard=pods=0", "--scopes=PriorityClass"),
    sandbox.kubectl("create", "configmap", "openclaw-second"),
  ]);
  await Promise.all([
    sandbox.create("pending", pending),
    sandbox.create("evicted", small),
    sandbox.create("unlucky", important),
    sandbox.create("second"),
    ...["crashing", "silent", "mismatched", "bereft"].map((name) => sandbox.create(name)),
  ]);
  slow = Promise.all([overfill("evicted"), loseNode("lost", away)]);
  // Whoever awaits it hears of its failure; nobody does when a test before that one failed.
  slow.catch(() => undefined);
});

afterAll(async () => {
  await slow.catch(() => undefined);
  await sandbox[Symbol.asyncDispose]();
  await system.machine.killNode(LOST.index);
  await system.client.delete(NODES, { name: LOST.name });
  await system[Symbol.asyncDispose]();
});

const limited = (amounts: object) => {
  const all = { cpu: "100m", memory: "64Mi", ...amounts };
  return { requests: { ...all, cpu: "10m" }, limits: all };
};

/** There, as long as that node is there; nobody else goes there. */
const matchExpressions = [{ key: "kubernetes.io/hostname", operator: "In", values: [LOST.name] }];
const preference = { weight: 100, preference: { matchExpressions } };
const scheduling = {
  affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [preference] } },
  tolerations: [{ key: "doomed", operator: "Exists", effect: "NoSchedule" }],
};

async function overfill(name: string): Promise<void> {
  await sandbox.ready(name);
  await sandbox.trouble(name, "fill", "/tmp/big", "48");
}

/** A second machine that takes one pod and is switched off. */
async function loseNode(name: string, className: string): Promise<void> {
  await system.machine.startNode(LOST.index);
  await system.machine.kubectl("taint", "node", LOST.name, "doomed=yes:NoSchedule", "--overwrite");
  await system.machine.importImage(await ensureLightGatewayImage());
  await sandbox.create(name, className);
  const { status } = await sandbox.ready(name);
  expect(status?.runtime?.node).toBe(LOST.name);
  await system.machine.killNode(LOST.index);
}

async function scaleOperator(replicas: number): Promise<void> {
  const kubectl = (...args: string[]) => system.machine.kubectl("--namespace", system.namespace, ...args);
  await kubectl("scale", `--replicas=${replicas}`, "deployment/hatchery-operator");
  const pods = ["get", "pods", "--selector", "app.kubernetes.io/component=operator", "--output", "name"];
  if (replicas === 0) await waitFor("no operator", async () => (await kubectl(...pods)) === "", { everyMs: 500 });
}

const runtime = (name: string) => ({ namespace: sandbox.namespace, name: `openclaw-${name}` });

describe("a namespace", () => {
  it("without room is told of, and a name that is taken too", async () => {
    await sandbox.failed("unlucky", "QuotaExceeded", /exceeded quota: none/);
    await sandbox.failed("second", "NameTaken", /ConfigMap openclaw-second exists and is not of this instance/);
    // Nobody tells the operator, which looks again every 30 s: see below.
    await sandbox.kubectl("delete", "quota/none", "configmap/openclaw-second");
  });
});

describe("a gateway", () => {
  it("that ends again and again is told of in its own words, and the kubelet's pauses are left to it", async () => {
    const first = await sandbox.ready("crashing");
    await sandbox.trouble("crashing", "fail");
    const { startedAt } = first.status?.runtime ?? {};
    await sandbox.until("crashing", ({ status }) => status?.runtime?.startedAt !== startedAt);
    await sandbox.ready("crashing");
    await sandbox.trouble("crashing", "fail");
    const failed = await sandbox.failed("crashing", "CrashLoop", /exit 1\): .*light-gateway was told to fail/);
    expect(failed.status).toMatchObject({ phase: "Failed", restarts: 0, failure: { step: "pod" } });
    const again = await sandbox.ready("crashing");
    expect(again.status?.runtime?.podUID).toBe(first.status?.runtime?.podUID);
  });

  it("that falls silent behind green probes is told of, and when it speaks again", async () => {
    await sandbox.ready("silent");
    await sandbox.trouble("silent", "mute");
    await sandbox.failed("silent", "GatewaySilent", /does not answer.*NetworkPolicy/);
    expect((await system.client.get(PODS, runtime("silent")))?.status?.conditions).toContainEqual(
      expect.objectContaining({ type: "Ready", status: "True" }),
    );
    await sandbox.trouble("silent", "mute");
    await sandbox.ready("silent");
  });

  it("that started with other credentials than its slot's is replaced", async () => {
    const before = await sandbox.ready("mismatched");
    await scaleOperator(0);
    const data = { "gateway-token": Buffer.from("wrong").toString("base64") };
    await system.client.mergePatch(SECRETS, runtime("mismatched"), { data });
    await sandbox.trouble("mismatched", "fail");
    await system.until(PODS, runtime("mismatched"), (pod) => {
      const { restartCount, ready } = pod?.status?.containerStatuses?.[0] ?? {};
      return restartCount === 1 && ready === true;
    });
    await scaleOperator(1);
    await sandbox.failed("mismatched", "GatewayUnauthorized", /credentials that are no more/);
    const after = await sandbox.ready("mismatched");
    expect(after.status?.runtime).toMatchObject({ slot: before.status?.runtime?.slot });
    expect(after.status?.runtime?.podUID).not.toBe(before.status?.runtime?.podUID);
  });
});

describe("a child", () => {
  it("that somebody deletes or changes is as before at once, and a deletion is told of", async () => {
    await sandbox.ready("silent");
    await sandbox.kubectl("delete", "service", "openclaw-silent");
    const service = await system.until(SERVICES, runtime("silent"), (found) => found !== undefined);
    const told = await waitFor("an Event", async () => {
      const text = await sandbox.kubectl("describe", "claw", "silent");
      return text.includes("ChildRestored") && text;
    });
    expect(told).toMatch(/Warning +ChildRestored .*The Service openclaw-silent was deleted and is made again/);
    await system.client.mergePatch(SERVICES, runtime("silent"), { spec: { selector: { app: "mine" } } });
    await system.until(SERVICES, runtime("silent"), (found) =>
      isDeepStrictEqual(found?.spec?.selector, service?.spec?.selector),
    );
  });
});

describe("a volume", () => {
  it("that is lost is told of", async () => {
    await sandbox.ready("bereft");
    const claim = await system.client.get(PERSISTENT_VOLUME_CLAIMS, runtime("bereft"));
    const volume = `persistentvolume/${claim?.spec?.volumeName}`;
    await system.machine.kubectl("delete", volume, "--wait=false");
    await system.machine.kubectl("patch", volume, "--type=merge", "--patch", '{"metadata":{"finalizers":null}}');
    await sandbox.failed("bereft", "ClaimLost", /volume of openclaw-bereft is gone\. Restore it/);
  });

  it("that nobody provides is told of", async () => {
    const { status } = await sandbox.failed("pending", "ClaimPending", /openclaw-pending is still not bound/);
    expect(status?.failure?.step).toBe("storage");
  });
});

describe("an instance that something stood in the way of", () => {
  it("goes on by itself once that is gone", async () => {
    const both = await Promise.all(["unlucky", "second"].map((name) => sandbox.ready(name)));
    expect(both.map(({ status }) => status?.failure)).toEqual([undefined, undefined]);
  });
});

describe("a node", () => {
  it("that needs its disk evicts a pod, and another takes its place with the same volume", async () => {
    const before = await system.client.get(PERSISTENT_VOLUME_CLAIMS, runtime("evicted"));
    await sandbox.until("evicted", ({ status }) => status?.restarts === 1);
    await sandbox.ready("evicted");
    const told = await sandbox.kubectl("describe", "claw", "evicted");
    // The kubelet's own words are lost when the gateway ends before it is killed.
    expect(told).toMatch(
      /Warning +Evicted .*The kubelet (evicted|ended) the pod: .*(ephemeral local|limit of its local) storage/,
    );
    const after = await system.client.get(PERSISTENT_VOLUME_CLAIMS, runtime("evicted"));
    expect(after?.spec?.volumeName).toBe(before?.spec?.volumeName);
  });

  it("that is lost keeps its pod until a person says that it is off; then another takes the volume", async () => {
    await slow;
    const words = /node node2 does not answer since .*kubectl taint node node2/;
    const lost = await sandbox.failed("lost", "NodeLost", words);
    const pod = await system.client.get(PODS, runtime("lost"));
    expect(pod?.metadata).toMatchObject({ uid: lost.status?.runtime?.podUID });
    expect(pod?.metadata.deletionTimestamp).toBeUndefined();
    await system.machine.kubectl(
      "taint",
      "node",
      LOST.name,
      "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute",
    );
    const moved = await sandbox.until("lost", ({ status }) => status?.phase === "Ready" && status.restarts === 1);
    expect(moved.status?.runtime).toMatchObject({ node: "node1", slot: lost.status?.runtime?.slot });
  });
});
