import { describe, expect, it } from "vitest";
import { INSTANCES, type InstanceStatus, type OpenClawInstance } from "#crds/index.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { KubeError } from "#lib/kube/errors.ts";
import { anInstance } from "./instance/view.fixture.ts";
import { StatusPatcher } from "./status-patcher.ts";

const { signal } = new AbortController();
const READY: InstanceStatus = { phase: "Ready" };
const FAILED: InstanceStatus = { phase: "Failed" };
const reset = new KubeError("reset", { status: 0, reason: "NetworkError" });

/** An apiserver that holds one instance and loses, on request, an answer or a request. */
function setUp() {
  let stored = { ...anInstance({}, READY), metadata: { ...anInstance().metadata, resourceVersion: "1" } };
  let losing: "answer" | "request" | undefined;
  const told: unknown[] = [];
  const client = {
    get: async () => stored,
    mergePatch: async (_type: unknown, _ref: unknown, { metadata, status }: OpenClawInstance) => {
      const lost = losing;
      losing = undefined;
      if (lost === "request") throw reset;
      if (metadata.resourceVersion !== stored.metadata.resourceVersion)
        throw new KubeError("conflict", { status: 409, reason: "Conflict" });
      const resourceVersion = `${Number(metadata.resourceVersion) + 1}`;
      stored = { ...stored, metadata: { ...stored.metadata, resourceVersion }, ...(status ? { status } : {}) };
      if (lost === "answer") throw reset;
      return stored;
    },
  };
  const patcher = new StatusPatcher(client as unknown as KubeClient, INSTANCES, ({ status }, next) =>
    told.push([status?.phase, next.phase]),
  );
  return { patcher, told, live: () => stored, lose: (what: typeof losing) => (losing = what) };
}

describe("a status that is written", () => {
  it("is told of once", async () => {
    const { patcher, told, live } = setUp();
    const old = live();
    expect((await patcher.patch(old, FAILED, signal))?.status).toEqual(FAILED);
    patcher.see(live());
    // The cache is behind: nothing is written, and nothing is news.
    await patcher.patch(old, FAILED, signal);
    expect(told).toEqual([["Ready", "Failed"]]);
  });

  it("though its answer was lost, is told of when the watch shows it", async () => {
    const { patcher, told, live, lose } = setUp();
    lose("answer");
    await expect(patcher.patch(live(), FAILED, signal)).rejects.toBe(reset);
    expect(told).toEqual([]);
    patcher.see(live());
    patcher.see(live());
    expect(told).toEqual([["Ready", "Failed"]]);
  });

  it("though its answer was lost, is told of when it is written again before that", async () => {
    const { patcher, told, live, lose } = setUp();
    const old = live();
    lose("answer");
    await expect(patcher.patch(old, FAILED, signal)).rejects.toBe(reset);
    await patcher.patch(old, FAILED, signal);
    patcher.see(live());
    expect(told).toEqual([["Ready", "Failed"]]);
  });

  it("only at the second try is told of once", async () => {
    const { patcher, told, live, lose } = setUp();
    lose("request");
    await expect(patcher.patch(live(), FAILED, signal)).rejects.toBe(reset);
    patcher.see(live());
    expect(told).toEqual([]);
    await patcher.patch(live(), FAILED, signal);
    expect(told).toEqual([["Ready", "Failed"]]);
  });
});
