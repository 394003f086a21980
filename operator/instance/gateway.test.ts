import { beforeAll, describe, expect, it } from "vitest";
import { keysReady } from "#lib/keys.ts";
import type { GatewayVerdict } from "../probe/gateway-verdict.ts";
import { planInstance } from "./plan.ts";
import { anInstance, aView, carriedOut, NOW, readyPod, SLOT, settings, withStatus } from "./view.fixture.ts";
import type { View } from "./view.ts";

beforeAll(keysReady);

const plan = (view: View, now = NOW) => planInstance(view, settings(), now, SLOT);
const podVerbs = (view: View, now = NOW) =>
  plan(view, now).writes.flatMap(({ type, verb }) => (type.kind === "Pod" ? [verb] : []));

/** The view of a ready pod whose gateway was found like this. */
function found(gateway: GatewayVerdict, parts: Partial<View> = {}): View {
  const made = carriedOut(aView(), plan(aView()).writes);
  const claim = made.claim && { ...made.claim, status: { phase: "Bound" } };
  return { ...made, claim, pod: withStatus(made.pod, readyPod()), gateway, ...parts };
}

const unauthorized = { reachable: false, reason: "GatewayUnauthorized", message: "It refuses the token." } as const;
const silent = { reachable: false, reason: "GatewaySilent", message: "It does not answer." } as const;
const full = { reachable: false, reason: "StorageFull", message: "300 MiB of 300 MiB are used." } as const;

describe("a ready pod whose gateway refuses the slot's token", () => {
  it("is replaced, for it runs with other credentials", () => {
    expect(podVerbs(found(unauthorized))).toEqual(["delete"]);
    expect(plan(found(unauthorized)).judgement.GatewayReachable).toMatchObject({
      status: "False",
      reason: "GatewayUnauthorized",
      failedStep: "gateway",
    });
  });

  it("is replaced at once when it has no node: no process is to end before", () => {
    const view = found(unauthorized);
    const pod = view.pod && { ...view.pod, spec: { containers: view.pod.spec?.containers ?? [] } };
    expect(podVerbs({ ...view, pod })).toEqual(["delete", "create"]);
  });

  it("is replaced with pauses when that happens again and again", () => {
    const again = found(unauthorized, { replaceAfter: NOW + 5_000 });
    expect(podVerbs(again)).toEqual([]);
    expect(plan(again).wakeAt).toBe(NOW + 5_000);
    expect(podVerbs(again, NOW + 5_000)).toEqual(["delete"]);
  });

  it("stays when another pod claims its address: it may be that one which answered", () => {
    const view = found(unauthorized, { addressRival: "tenants/openclaw-bob" });
    expect(podVerbs(view)).toEqual([]);
    expect(plan(view).judgement.GatewayReachable.message).toContain("tenants/openclaw-bob");
  });

  it("is why it was replaced until the next one is ready", () => {
    const failure = {
      step: "gateway",
      reason: "GatewayUnauthorized",
      message: "m",
      since: "2026-11-23T10:00:00Z",
    } as const;
    const gone = {
      ...found(unauthorized, { pod: undefined, gateway: undefined }),
      instance: anInstance({}, { failure }),
    };
    expect(plan(gone).judgement.PodReady).toMatchObject({ reason: "GatewayUnauthorized", failedStep: "gateway" });
  });
});

describe("a ready pod whose gateway is silent", () => {
  it("is told of with what to do, and stays: its own probes pass, so a new one would not be better", () => {
    expect(podVerbs(found(silent))).toEqual([]);
    const { GatewayReachable } = plan(found(silent)).judgement;
    expect(GatewayReachable).toMatchObject({ status: "False", reason: "GatewaySilent", failedStep: "gateway" });
    expect(GatewayReachable.message).toMatch(/NetworkPolicy.*restartedAt/);
  });
});

describe("a full volume", () => {
  it("is a fault of the storage, and the pod stays to be freed of it", () => {
    expect(podVerbs(found(full))).toEqual([]);
    const { StorageReady, GatewayReachable, PodReady } = plan(found(full)).judgement;
    expect(PodReady.status).toBe("True");
    for (const verdict of [StorageReady, GatewayReachable]) {
      expect(verdict).toMatchObject({ status: "False", reason: "StorageFull", failedStep: "storage" });
      expect(verdict.message).toContain("300 MiB of 300 MiB");
    }
  });
});
