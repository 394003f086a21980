import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PHASE } from "#crds/index.ts";
import { PODS } from "#lib/kube/resource.ts";
import { connectSystem, type System } from "./system.ts";
import { User } from "./user.ts";

/** After a client has left, its model call must be over within this: a requirement, not a measure of this machine. */
const ABORT_LIMIT_MS = 2_000;

let system: System;
let alice: User;
let bob: User;
/** Names of their pods, volumes and so on. */
let runtimes: { alice: string; bob: string };
beforeAll(async () => {
  system = await connectSystem();
  alice = new User(system, "alice");
  bob = new User(system, "bob");
  const [first, second] = await Promise.all([alice.ensureInstance(), bob.ensureInstance()]);
  runtimes = { alice: first, bob: second };
});
afterAll(() => system[Symbol.asyncDispose]());

const newSession = () => `s-${randomUUID()}`;
const instanceOf = (runtime: string) => runtime.replace(/^openclaw-/, "");
/** One field of an object per user, by kubectl. */
async function fieldOf(kind: string, runtime: string, path: string): Promise<string> {
  return system.kubectl("get", kind, runtime, "--output", `jsonpath={${path}}`);
}

describe("two users", () => {
  it("have two pods, two volumes and two slots", async () => {
    const facts = async (runtime: string) => ({
      pod: await fieldOf("pod", runtime, ".metadata.uid"),
      address: await fieldOf("pod", runtime, ".status.podIP"),
      claim: await fieldOf("persistentvolumeclaim", runtime, ".metadata.uid"),
      volume: await fieldOf("persistentvolumeclaim", runtime, ".spec.volumeName"),
      slot: await fieldOf("pod", runtime, ".metadata.labels.hatchery\\.openagents\\.com/slot"),
      slotOfSecret: await fieldOf("secret", runtime, ".metadata.labels.hatchery\\.openagents\\.com/slot"),
    });
    const [a, b] = [await facts(runtimes.alice), await facts(runtimes.bob)];
    expect(a.slotOfSecret).toBe(a.slot);
    expect(b.slotOfSecret).toBe(b.slot);
    const distinct = (["pod", "address", "claim", "volume", "slot"] as const).filter(
      (key) => a[key] && a[key] !== b[key],
    );
    expect(distinct).toEqual(["pod", "address", "claim", "volume", "slot"]);
  });

  it("each chat with their own", async () => {
    const [first, second] = [newSession(), newSession()];
    const replies = await Promise.all([alice.say("hello from alice", first), bob.say("hello from bob", second)]);
    expect(replies).toEqual(["echo[1]: hello from alice", "echo[1]: hello from bob"]);
    expect(await alice.say("and again", first)).toBe("echo[2]: and again");
  });
});

describe("a chat", () => {
  it("streams token by token: the first is there while the model still speaks", async () => {
    const { active } = await system.modelStats();
    const deltas = [];
    let activeAtFirst = -1;
    for await (const delta of alice.chat("SLOW:20:200", newSession())) {
      if (deltas.push(delta) === 1) activeAtFirst = (await system.modelStats()).active;
    }
    expect(deltas.map(({ text }) => text).join("")).toBe(
      Array.from({ length: 20 }, (_, index) => `w${index} `)
        .join("")
        .trimEnd(),
    );
    expect(activeAtFirst).toBe(active + 1);
    expect(deltas.length).toBeGreaterThan(5);
    const [first, last] = [deltas[0], deltas.at(-1)];
    // The model takes 3.8 s for its words; half of that must lie between the first and the last.
    expect((last?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(1_900);
  });

  it("stops the model call within two seconds when its client leaves", async () => {
    const { aborted } = await system.modelStats();
    const leave = new AbortController();
    const turn = alice.chat("SLOW:1000:1000", newSession(), { signal: leave.signal });
    expect((await turn.next()).done).toBe(false);
    leave.abort();
    const leftAt = performance.now();
    await system.modelStats({ aborted: aborted + 1 });
    expect(performance.now() - leftAt).toBeLessThanOrEqual(ABORT_LIMIT_MS);
    await expect(turn.next()).rejects.toThrow();
  });

  it("goes on in the same session after its pod was killed", async () => {
    const session = newSession();
    expect(await bob.say("remember me", session)).toBe("echo[1]: remember me");
    const name = instanceOf(runtimes.bob);
    const claim = await fieldOf("persistentvolumeclaim", runtimes.bob, ".metadata.uid");
    const killed = await fieldOf("pod", runtimes.bob, ".metadata.uid");
    await system.kubectl("delete", "pod", runtimes.bob, "--grace-period=0", "--force");
    const ready = await system.instanceUntil(
      name,
      ({ status }) => status?.phase === PHASE.Ready && status.runtime?.podUID !== killed,
    );
    const pod = await system.client.get(PODS, { name: runtimes.bob, namespace: system.tenantNamespace });
    expect(pod?.metadata.uid).toBe(ready.status?.runtime?.podUID);
    expect(await fieldOf("persistentvolumeclaim", runtimes.bob, ".metadata.uid")).toBe(claim);
    await bob.ensureInstance();
    expect(await bob.say("who am I", session)).toBe("echo[2]: who am I");
  });
});
