import { describe, expect, it } from "vitest";
import type { KubeClient } from "#lib/kube/client.ts";
import { KubeError } from "#lib/kube/errors.ts";
import { NETWORK_POLICIES, PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS, SERVICES } from "#lib/kube/resource.ts";
import { createLogger } from "#lib/log.ts";
import { type ActContext, carryOut } from "./act.ts";
import { type Write, write } from "./write.ts";

const meta = { name: "openclaw-alice", namespace: "tenants", uid: "u" };
const claim = { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: meta };
const grow = write({ verb: "patch", step: "storage", type: PERSISTENT_VOLUME_CLAIMS, live: claim, patch: {} });
const pod = { apiVersion: "v1", kind: "Pod", metadata: meta };
const service = { apiVersion: "v1", kind: "Service", metadata: { ...meta, ownerReferences: [] } };
const secret = { apiVersion: "v1", kind: "Secret", metadata: meta };
const remove = write({ verb: "delete", step: "pod", type: PODS, live: pod });

const refusal = new KubeError("only dynamically provisioned pvc can be resized", { status: 403, reason: "Forbidden" });
const failure = new KubeError("boom", { status: 500, reason: "InternalError" });

/** Carries writes out with a client that answers these calls with an error; what was asked for, and what came of it. */
async function act(
  writes: Write[],
  errors: Partial<Record<"apply" | "mergePatch" | "delete", KubeError>>,
  { hadAll = false, errorsLast = false, sharing = new Map() }: Partial<ActContext> = {},
) {
  const asked: string[] = [];
  const restored: string[] = [];
  const call = (verb: "apply" | "mergePatch" | "delete") => (type: { kind: string }) => {
    asked.push(`${verb} ${type.kind}`);
    return errors[verb] ? Promise.reject(errors[verb]) : Promise.resolve({ kind: type.kind, metadata: meta });
  };
  const client = { apply: call("apply"), mergePatch: call("mergePatch"), delete: call("delete") };
  const tracked: string[] = [];
  const context: ActContext = {
    client: client as unknown as KubeClient,
    operatorVersion: "1",
    assume: () => undefined,
    cached: () => undefined,
    sharing,
    trackDeletion: async (object, send) => {
      tracked.push(`begins ${object.kind}`);
      await send().finally(() => tracked.push(`ends ${object.kind}`));
    },
    hadAll,
    errorsLast,
    restored: ({ kind }, done) => restored.push(`${kind} ${done}`),
    signal: new AbortController().signal,
    log: createLogger("test", "error"),
  };
  const outcome = await carryOut(writes, context).catch((error: unknown) => error);
  return { asked, outcome, tracked, restored };
}

describe("carrying writes out", () => {
  it("goes on after a refused change of what is there, and tells of it", async () => {
    const { asked, outcome } = await act([grow, remove], { mergePatch: refusal });
    expect(asked).toEqual(["mergePatch PersistentVolumeClaim", "delete Pod"]);
    expect(outcome).toMatchObject({ step: "storage", reason: "ChildRefused", keepsNothing: true });
  });

  it("ends where what a pod needs is refused: a child that is missing, or what the pod is built from", async () => {
    const create = write({ verb: "create", step: "network", type: SERVICES, body: service });
    const update = write({ verb: "apply", step: "secret", type: SECRETS, body: secret, live: secret });
    for (const needed of [create, update]) {
      const { asked, outcome } = await act([needed, remove], { apply: refusal });
      expect(asked).toEqual([`apply ${needed.type.kind}`]);
      expect(outcome).toMatchObject({ step: needed.step, reason: "ChildRefused" });
      expect(outcome).not.toHaveProperty("keepsNothing");
    }
  });

  it("goes on after a refused check: only the change waits for it", async () => {
    const check = write({ verb: "create", step: "config", type: PODS, body: { ...pod, metadata: service.metadata } });
    const { asked, outcome } = await act([check, remove], { apply: refusal });
    expect(asked).toEqual(["apply Pod", "delete Pod"]);
    expect(outcome).toMatchObject({ step: "config", keepsNothing: true });
  });

  it("throws what may pass, and tells of it once it came again and again", async () => {
    const create = write({ verb: "create", step: "network", type: SERVICES, body: service });
    const busy = new KubeError("too many requests", { status: 429, reason: "TooManyRequests" });
    expect((await act([create], { apply: failure })).outcome).toBe(failure);
    const { outcome } = await act([create], { apply: failure }, { errorsLast: true });
    expect(outcome).toMatchObject({
      step: "network",
      reason: "ReconcileFailed",
      message: expect.stringContaining("boom"),
    });
    expect((await act([create], { apply: busy }, { errorsLast: true })).outcome).toBe(busy);
  });

  it("tells of a child that is made again where none was missing; a pod has reasons of its own", async () => {
    const again = write({ verb: "create", step: "network", type: SERVICES, body: service });
    const next = write({ verb: "create", step: "pod", type: PODS, body: { ...pod, metadata: service.metadata } });
    expect((await act([again, next], {}, { hadAll: true })).restored).toEqual(["Service deleted"]);
    expect((await act([again, next], {})).restored).toEqual([]);
  });

  it("writes what several instances share once, the first time and when it changed", async () => {
    const policy = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: meta };
    const common = { step: "network", type: NETWORK_POLICIES, body: policy } as const;
    for (const one of [write({ verb: "create", ...common }), write({ verb: "apply", ...common, live: policy })]) {
      const sharing: ActContext["sharing"] = new Map();
      const both = await Promise.all([act([one], {}, { sharing }), act([one], {}, { sharing })]);
      expect(both.map(({ outcome }) => outcome)).toEqual(["done", "done"]);
      expect(both.flatMap(({ asked }) => asked)).toEqual(["apply NetworkPolicy"]);
    }
  });

  it("tells how a deletion ended, also when it failed", async () => {
    for (const error of [failure, refusal]) {
      const { tracked, outcome } = await act([remove], { delete: error });
      expect(tracked).toEqual(["begins Pod", "ends Pod"]);
      expect(outcome).toMatchObject(error === failure ? { status: 500 } : { reason: "ChildRefused" });
    }
  });
});
