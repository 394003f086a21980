import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLASSES, GROUP, INSTANCES, type OpenClawClass, type OpenClawInstance, PHASE, VERSION } from "#crds/index.ts";
import { PERSISTENT_VOLUME_CLAIMS, PODS } from "#lib/kube/resource.ts";
import { expectTold } from "./sandbox.ts";
import { connectSystem, type System } from "./system.ts";

let system: System;
const suffix = randomUUID().slice(0, 8);
const classNames: string[] = [];
const names: string[] = [];

beforeAll(async () => {
  system = await connectSystem();
});
afterAll(async () => {
  for (const name of names) await system.client.delete(INSTANCES, { name, namespace: system.tenantNamespace });
  for (const name of classNames) await system.client.delete(CLASSES, { name });
  await system[Symbol.asyncDispose]();
});

/** A class of its own, as `standard` but for these fields. */
async function createClass(purpose: string, spec: object): Promise<string> {
  const name = `${purpose}-${suffix}`;
  const standard = await system.client.get(CLASSES, { name: "standard" });
  const body = {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: CLASSES.kind,
    metadata: { name },
    spec: { ...standard?.spec, deletionPolicy: "Delete", ...spec },
  } as unknown;
  classNames.push(name);
  await system.client.create(CLASSES, body as OpenClawClass);
  return name;
}

async function createInstance(className: string, spec: object = {}): Promise<string> {
  const name = `claw-${className}`;
  const body = {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: INSTANCES.kind,
    metadata: { name, namespace: system.tenantNamespace },
    spec: { owner: { subject: name }, className, ...spec },
  } as unknown;
  names.push(name);
  await system.client.create(INSTANCES, body as OpenClawInstance);
  return name;
}

/** The instance once it fails for this reason, of which `kubectl describe` tells too, in these words. */
async function failed(name: string, reason: string, words: RegExp): Promise<OpenClawInstance> {
  const found = await system.instanceUntil(name, ({ status }) => status?.failure?.reason === reason);
  await expectTold(system, { namespace: system.tenantNamespace, name }, reason, words);
  return found;
}

const light = () => ({
  image: system.lightImage,
  resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { cpu: "100m", memory: "64Mi" } },
  storage: { size: "300Mi" },
});

describe("what keeps a pod from serving is told", () => {
  it("in OpenClaw's own words when it refuses its configuration, and is over once that is put right", async () => {
    const className = await createClass("bogus", { gateway: { config: { bogusKey: true } } });
    const name = await createInstance(className);
    const { status } = await failed(name, "ConfigRejected", /Unrecognized key.*bogusKey/);
    expect(status).toMatchObject({ phase: PHASE.Failed, failure: { step: "config" } });

    await system.client.mergePatch(CLASSES, { name: className }, { spec: { gateway: null } });
    await system.instanceUntil(name, (instance) => instance.status?.phase === PHASE.Ready);
  });

  it("when its image is nowhere to be had", async () => {
    const className = await createClass("image", { ...light(), image: "registry.invalid/openclaw:none" });
    const name = await createInstance(className);
    await failed(name, "ImagePullFailed", /registry\.invalid\/openclaw:none cannot be pulled.*imagePullSecrets/);
    // The instance's own image replaces the class's: a pod that never ran is gone at once.
    await system.client.mergePatch(
      INSTANCES,
      { name, namespace: system.tenantNamespace },
      { spec: { image: system.lightImage } },
    );
    await system.instanceUntil(name, (instance) => instance.status?.phase === PHASE.Ready);
  });

  it("when no node can take it", async () => {
    const amounts = { cpu: "500", memory: "16Mi" };
    const className = await createClass("room", { ...light(), resources: { requests: amounts, limits: amounts } });
    const name = await createInstance(className);
    await failed(name, "Unschedulable", /Insufficient cpu.*Add room/);
  });

  it("when it uses more memory than it may", async () => {
    const amounts = { cpu: "1", memory: "300Mi" };
    const className = await createClass("memory", { resources: { requests: amounts, limits: amounts } });
    const name = await createInstance(className);
    const { status } = await failed(name, "OutOfMemory", /all of the 300Mi of memory.*resources\.limits\.memory/);
    expect(status).toMatchObject({ phase: PHASE.Failed, failure: { step: "pod" } });
  });
});

describe("a change of the spec", () => {
  it("grows the volume under the running pod", async () => {
    const className = await createClass("growth", light());
    const name = await createInstance(className);
    const before = await system.instanceUntil(name, ({ status }) => status?.phase === PHASE.Ready);
    const ref = { name, namespace: system.tenantNamespace };
    await system.client.mergePatch(INSTANCES, ref, { spec: { storage: { size: "600Mi" } } });
    const runtime = { ...ref, name: `openclaw-${name}` };
    await system.until(
      PERSISTENT_VOLUME_CLAIMS,
      runtime,
      (claim) => claim?.status?.capacity?.storage === "600Mi" && claim.status.conditions === undefined,
    );
    expect((await system.client.get(PODS, runtime))?.metadata.uid).toBe(before.status?.runtime?.podUID);
  });

  it("stops the pod, keeps the volume and its data, and starts it again with the same slot", async () => {
    const className = await createClass("stop", light());
    const name = await createInstance(className);
    const before = await system.instanceUntil(name, ({ status }) => status?.phase === PHASE.Ready);
    const ref = { name, namespace: system.tenantNamespace };
    const runtime = { ...ref, name: `openclaw-${name}` };
    const claim = await system.client.get(PERSISTENT_VOLUME_CLAIMS, runtime);
    await system.client.mergePatch(INSTANCES, ref, { spec: { runPolicy: "Stopped" } });
    await system.instanceUntil(name, ({ status }) => status?.phase === PHASE.Stopped);
    expect(await system.client.get(PODS, runtime)).toBeUndefined();
    await system.client.mergePatch(INSTANCES, ref, { spec: { runPolicy: "Always" } });
    const after = await system.instanceUntil(name, ({ status }) => status?.phase === PHASE.Ready);
    expect(after.status?.runtime?.slot).toBe(before.status?.runtime?.slot);
    const same = await system.client.get(PERSISTENT_VOLUME_CLAIMS, runtime);
    expect(same?.spec?.volumeName).toBe(claim?.spec?.volumeName);
  });
});
