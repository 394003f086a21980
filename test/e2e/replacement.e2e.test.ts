import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLASSES, INSTANCES, type OpenClawInstance, PHASE } from "#crds/index.ts";
import { PODS } from "#lib/kube/resource.ts";
import { connectSystem, type System } from "./system.ts";
import { User } from "./user.ts";

/** Forty seconds of words: longer than a check of the configuration takes on a busy machine. */
const LONG_TURN = "SLOW:80:500";
const LONG_REPLY = Array.from({ length: 80 }, (_, index) => `w${index}`).join(" ");

const CHANGED = { agents: { defaults: { timeoutSeconds: 601 } } };

let system: System;
let carol: User;
/** Name of her instance; all tests change this one, one after the other. */
let name: string;

beforeAll(async () => {
  system = await connectSystem();
  // The turn is to end by itself and not with the time it is given.
  await system.client.mergePatch(CLASSES, { name: "standard" }, { spec: { drainSeconds: 600 } });
  carol = new User(system, `carol-${randomUUID().slice(0, 8)}`);
  name = (await carol.ensureInstance()).replace(/^openclaw-/, "");
});
afterAll(async () => {
  await system.client.mergePatch(CLASSES, { name: "standard" }, { spec: { drainSeconds: null } });
  await system.client.delete(INSTANCES, { name, namespace: system.tenantNamespace });
  await system[Symbol.asyncDispose]();
});

const ref = (prefix = "") => ({ name: `${prefix}${name}`, namespace: system.tenantNamespace });
const until = (wanted: (instance: OpenClawInstance) => boolean) => system.instanceUntil(name, wanted);
const podUID = ({ status }: OpenClawInstance) => status?.runtime?.podUID;
const isServing = ({ metadata, status }: OpenClawInstance) =>
  status?.phase === PHASE.Ready && status.observedGeneration === metadata.generation;
const patchSpec = (spec: object) => system.client.mergePatch(INSTANCES, ref(), { spec });

async function expectChat(): Promise<void> {
  expect(await carol.say("hello", `s-${randomUUID()}`)).toBe("echo[1]: hello");
}

describe("a change of the configuration", () => {
  it("is checked, lets a running turn finish and takes no new one, and then has a new pod", async () => {
    const before = await until(isServing);
    await patchSpec({ gateway: { config: CHANGED } });
    await system.until(PODS, ref("check-openclaw-"), (pod) => pod !== undefined);
    let endedAt = Infinity;
    const turn = carol.say(LONG_TURN, `s-${randomUUID()}`).finally(() => {
      endedAt = Date.now();
    });
    const draining = await until(({ status }) => status?.drain !== undefined);
    expect(endedAt).toBe(Infinity);
    expect(draining.status).toMatchObject({ phase: PHASE.Provisioning, drain: { podUID: podUID(before) } });
    expect(await system.kubectl("describe", "claw", name)).toMatch(/Draining[\s\S]*finish until 20/);
    const refused = await carol.call("POST", "/api/openclaw/chat", { body: { model: "openclaw", input: "no" } });
    expect([refused.status, refused.text]).toEqual([409, expect.stringContaining("Draining")]);

    expect(await turn).toBe(LONG_REPLY);
    const after = await until((instance) => isServing(instance) && podUID(instance) !== podUID(before));
    const pod = await system.client.get(PODS, ref("openclaw-"));
    expect(pod?.metadata.uid).toBe(podUID(after));
    // Times of objects are whole seconds.
    expect(Date.parse(pod?.metadata.creationTimestamp ?? "") + 1_000).toBeGreaterThan(endedAt);
    expect(after.status?.failure).toBeUndefined();
    await expectChat();
    await system.until(PODS, ref("check-openclaw-"), (check) => check === undefined);
  });

  it("that OpenClaw refuses is told in its own words, and what serves goes on", async () => {
    const before = await until(isServing);
    await patchSpec({ gateway: { config: { agents: { defaults: { timeoutSeconds: "soon" } } } } });
    const rejected = await until(({ status }) => status?.failure?.reason === "ConfigRejected");
    const runtime = { podUID: podUID(before) };
    expect(rejected.status).toMatchObject({ phase: PHASE.Ready, failure: { step: "config" }, runtime });
    expect(rejected.status?.failure?.message).toMatch(/timeoutSeconds/);
    expect(await system.kubectl("describe", "claw", name)).toMatch(
      /ConfigRejected[\s\S]*timeoutSeconds.*expected number/,
    );
    await expectChat();
    await patchSpec({ gateway: { config: CHANGED } });
    const after = await until((instance) => isServing(instance) && !instance.status?.failure);
    expect(podUID(after)).toBe(podUID(before));
  });
});

describe("a change of the image", () => {
  it("whose pod never becomes ready is rolled back, and says why until another is asked for", async () => {
    const before = await until((instance) => isServing(instance) && !instance.status?.failure);
    await patchSpec({ image: system.brokenImage });
    const back = await until((instance) => isServing(instance) && instance.status?.failure?.reason === "RolledBack");
    expect(back.status?.runtime?.image).toBe(before.status?.runtime?.image);
    expect(podUID(back)).not.toBe(podUID(before));
    expect(back.status?.failure?.message).toMatch(/CrashLoop.*this gateway is broken/);
    const told = await system.kubectl("describe", "claw", name);
    expect(told).toMatch(/RolledBack/);
    await expectChat();
    await patchSpec({ image: null });
    const well = await until((instance) => isServing(instance) && !instance.status?.failure);
    expect(podUID(well)).toBe(podUID(back));
  });

  it("that nowhere is to be had replaces nothing", async () => {
    const before = await until(isServing);
    await patchSpec({ image: "registry.invalid/openclaw:none" });
    const told = await until(({ status }) => status?.failure?.reason === "ImagePullFailed");
    expect(told.status).toMatchObject({ phase: PHASE.Ready, runtime: { podUID: podUID(before) } });
    await expectChat();
  });
});
