import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { ensureKubeBinaries } from "#test/cluster/binaries.ts";
import { type Apiserver, connect } from "./apiserver.fixture.ts";
import { PHASE, STEP } from "./conditions.ts";
import { REASON } from "./reasons.ts";
import { CLASSES, INSTANCES } from "./resources.ts";
import { instanceStatusSchema } from "./schema/instance-status.ts";
import type { ClassStatus, InstanceStatus } from "./types.ts";
import { classObject, instanceObject } from "./verdict-cases.fixture.ts";

const namespace = `lifecycle-${randomUUID().slice(0, 8)}`;
const now = "2026-11-23T10:00:00Z";
let apiserver: Apiserver;
let count = 0;

beforeAll(async () => {
  apiserver = connect(inject("kubeconfig"));
  await apiserver.createNamespace(namespace);
});
afterAll(() => apiserver.close());

/** Creates an instance of its own for a test. */
async function create(spec: Record<string, unknown> = {}) {
  const ref = { name: `claw-${++count}`, namespace };
  const object = { ...instanceObject(spec), metadata: ref };
  return { ref, object: await apiserver.create(INSTANCES, object) };
}

describe("defaults", () => {
  it("fill the least instance", async () => {
    const { object } = await create();
    expect(object.spec).toEqual({
      owner: { subject: "alice", kind: "Human" },
      className: "standard",
      runPolicy: "OnDemand",
    });
  });

  it("fill the least class, inner objects too, and pin no image", async () => {
    const name = `plan-${randomUUID().slice(0, 8)}`;
    const { spec } = await apiserver.create(CLASSES, classObject({}, name), { dryRun: "All" });
    expect(spec).toEqual({
      ...(classObject().spec as object),
      models: [
        { name: "default", provider: "main", providerModel: "some/model:1", contextWindow: 128_000, maxTokens: 8192 },
      ],
      agent: { exec: "Allow" },
      drainSeconds: 60,
      nodeLostSeconds: 60,
      deletionPolicy: "Retain",
      maxInstancesPerOwner: 1,
      rollout: { maxUnavailable: 1 },
    });
  });
});

describe("what may not change", () => {
  const sized = { storage: { size: "10Gi", storageClassName: "fast" } };
  const other = { storage: { size: "10Gi" } };

  it.each<[string, object, object, string]>([
    ["the owner's subject", {}, { owner: { subject: "bob" } }, "spec.owner.subject"],
    ["the owner's kind", {}, { owner: { kind: "Agent" } }, "spec.owner.kind"],
    ["the storage class", sized, { storage: { storageClassName: "slow" } }, "spec.storage.storageClassName"],
    ["the storage class, removed", sized, { storage: { storageClassName: null } }, "spec.storage.storageClassName"],
    ["the storage class, with all of storage", sized, { storage: null }, "spec.storage"],
    ["the storage class, added", other, { storage: { storageClassName: "fast" } }, "spec.storage.storageClassName"],
    [
      "the storage class, added with storage",
      {},
      { storage: { storageClassName: "fast" } },
      "spec.storage.storageClassName",
    ],
    ["the size, downwards", sized, { storage: { size: "9Gi" } }, "spec.storage.size"],
    ["the size, downwards in other units", sized, { storage: { size: "10G" } }, "spec.storage.size"],
    ["the size, removed", other, { storage: { size: null } }, "spec.storage.size"],
    ["the size, with all of storage", other, { storage: null }, "spec.storage.size"],
  ])("%s", async (_, before, patch, field) => {
    const { ref } = await create(before as Record<string, unknown>);
    await expect(apiserver.mergePatch(INSTANCES, ref, { spec: patch })).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining(field),
    });
  });

  it.each<[string, object, object]>([
    ["the size, upwards", sized, { storage: { size: "11Gi" } }],
    ["the size, in other units", sized, { storage: { size: "10240Mi" } }],
    ["the size, set later", {}, { storage: { size: "1Gi" } }],
    ["the class", {}, { className: "large" }],
    ["everything else", sized, { runPolicy: "Stopped", restartedAt: now, image: "a:1", model: { default: "m" } }],
  ])("but this may: %s", async (_, before, patch) => {
    const { ref } = await create(before as Record<string, unknown>);
    await expect(apiserver.mergePatch(INSTANCES, ref, { spec: patch })).resolves.toMatchObject({ spec: patch });
  });
});

describe("status", () => {
  const conditions = [
    {
      type: "Ready",
      status: "False" as const,
      reason: REASON.CrashLoop,
      message: "m",
      observedGeneration: 2,
      lastTransitionTime: now,
    },
  ];
  const full: Required<InstanceStatus> = {
    observedGeneration: 2,
    conditions,
    phase: PHASE.Failed,
    runtime: {
      name: "openclaw-alice",
      slot: "0123456789abcdef0123456789abcdef",
      keyId: "01234567",
      podUID: "2aa7b927-2e1a-41bc-81dc-626328b0be90",
      podIP: "10.244.0.7",
      port: 18_789,
      node: "node-1.example.org",
      image: "localhost/hatchery/openclaw:2026.9.6-0123456789ab",
      version: "2026.9.6",
      startedAt: now,
    },
    endpoint: "http://openclaw-alice.tenants.svc:18789",
    lastReadyTime: now,
    observedRestart: now,
    restarts: 3,
    drain: { podUID: "2aa7b927-2e1a-41bc-81dc-626328b0be90", since: now, until: now },
    failure: { step: STEP.Pod, reason: REASON.CrashLoop, message: "m", since: now },
  };

  it("of this test names every field there is", () => {
    expect(Object.keys(full).sort()).toEqual(Object.keys(instanceStatusSchema.shape).sort());
    expect(Object.keys(full.runtime ?? {}).sort()).toEqual(
      Object.keys(instanceStatusSchema.shape.runtime.unwrap().shape).sort(),
    );
  });

  it("keeps every field of an instance through a round trip", async () => {
    const { ref } = await create();
    await apiserver.mergePatch(INSTANCES, ref, { status: full }, "status");
    expect((await apiserver.get(INSTANCES, ref)).status).toEqual(full);
  });

  it("keeps every field of a class", async () => {
    const name = `plan-${randomUUID().slice(0, 8)}`;
    const status: Required<ClassStatus> = { observedGeneration: 1, instances: 7, ready: 6, conditions };
    await apiserver.create(CLASSES, classObject({}, name));
    await apiserver.mergePatch(CLASSES, { name }, { status }, "status");
    expect((await apiserver.get(CLASSES, { name })).status).toEqual(status);
    await apiserver.delete(CLASSES, { name });
  });

  it("is not written through the main resource, nor the spec through the status", async () => {
    const { ref } = await create();
    expect((await apiserver.mergePatch(INSTANCES, ref, { status: full })).status).toBeUndefined();
    const answered = await apiserver.mergePatch(INSTANCES, ref, { spec: { runPolicy: "Stopped" } }, "status");
    expect(answered.spec.runPolicy).toBe("OnDemand");
  });

  it.each(Object.values(STEP))("takes a failure at step %s", async (step) => {
    const { ref } = await create();
    const failure = { step, reason: REASON.Pending, message: "", since: now };
    await expect(apiserver.mergePatch(INSTANCES, ref, { status: { failure } }, "status")).resolves.toBeDefined();
  });

  it("takes every reason and phase", async () => {
    const { ref } = await create();
    const all = Object.values(REASON).slice(0, 32);
    for (const reasons of [all, Object.values(REASON).slice(32)]) {
      const list = reasons.map((reason, i) => ({
        type: `T${i}`,
        status: "True",
        reason,
        message: "",
        lastTransitionTime: now,
      }));
      await apiserver.mergePatch(INSTANCES, ref, { status: { conditions: list } }, "status");
    }
    for (const phase of Object.values(PHASE))
      await apiserver.mergePatch(INSTANCES, ref, { status: { phase } }, "status");
    expect((await apiserver.get(INSTANCES, ref)).status).toMatchObject({ phase: "Terminating" });
  });
});

describe("kubectl", () => {
  async function kubectl(...args: string[]): Promise<string> {
    const { kubectl: path } = await ensureKubeBinaries();
    const { stdout } = await promisify(execFile)(path, [
      "--kubeconfig",
      inject("kubeconfig"),
      "-n",
      namespace,
      ...args,
    ]);
    return stdout;
  }

  it("shows owner, class, phase, ready, reason, version, age", async () => {
    const { ref } = await create();
    const conditions = [
      { type: "Ready", status: "True", reason: REASON.AsExpected, message: "", lastTransitionTime: now },
    ];
    const runtime = { name: "openclaw-x", slot: "0".repeat(32), keyId: "0".repeat(8), version: "2026.9.6" };
    await apiserver.mergePatch(INSTANCES, ref, { status: { phase: "Ready", conditions, runtime } }, "status");
    const [header = "", row = ""] = (await kubectl("get", "claw", ref.name)).split("\n");
    expect(header.split(/\s+/)).toEqual(["NAME", "OWNER", "CLASS", "PHASE", "READY", "REASON", "VERSION", "AGE"]);
    expect(row.split(/\s+/).slice(0, 7)).toEqual([
      ref.name,
      "alice",
      "standard",
      "Ready",
      "True",
      "AsExpected",
      "2026.9.6",
    ]);
    const [wide = ""] = (await kubectl("get", "claws", ref.name, "-o", "wide")).split("\n");
    expect(wide.split(/\s+/)).toEqual(expect.arrayContaining(["NODE", "SLOT", "ENDPOINT"]));
  });

  it("shows of a class how many it has, how many are ready, and how far its last change has come", async () => {
    const name = `plan-${randomUUID().slice(0, 8)}`;
    await apiserver.create(CLASSES, classObject({}, name));
    const condition = { type: "RolledOut", status: "False", reason: REASON.RollingOut, message: "" };
    const conditions = [{ ...condition, lastTransitionTime: now }];
    await apiserver.mergePatch(CLASSES, { name }, { status: { instances: 7, ready: 6, conditions } }, "status");
    const [header = "", row = ""] = (await kubectl("get", "clawclass", name)).split("\n");
    expect(header.split(/\s+/)).toEqual(["NAME", "INSTANCES", "READY", "ROLLEDOUT", "REASON", "STORAGE", "AGE"]);
    expect(row.split(/\s+/).slice(0, 6)).toEqual([name, "7", "6", "False", "RollingOut", "5Gi"]);
    expect((await kubectl("get", "clawclass", name, "-o", "wide")).split("\n")[0]).toContain("IMAGE");
    await apiserver.delete(CLASSES, { name });
  });

  it("finds all kinds by category, and instances by owner", async () => {
    const { ref } = await create({ owner: { subject: "carol" } });
    expect(await kubectl("get", "hatchery", "-o", "name")).toContain(
      `openclawinstance.hatchery.openagents.com/${ref.name}`,
    );
    const found = await kubectl("get", "claw", "--field-selector", "spec.owner.subject=carol", "-o", "name");
    expect(found.trim()).toBe(`openclawinstance.hatchery.openagents.com/${ref.name}`);
    expect(await kubectl("get", "clawclass")).toBeDefined();
  });

  it("explains every field of the spec", async () => {
    const text = await kubectl("explain", "claw.spec", "--recursive");
    expect(text).toContain("restartedAt");
    expect(await kubectl("explain", "claw.spec.owner.subject")).toContain("OIDC");
  });
});
