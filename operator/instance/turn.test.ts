import { beforeAll, describe, expect, it } from "vitest";
import { ANNOTATION } from "#crds/index.ts";
import { keysReady } from "#lib/keys.ts";
import { digestEntries } from "../build/digest.ts";
import { type Plan, planInstance } from "./plan.ts";
import { attemptId } from "./trial.ts";
import { aClass, anInstance, aView, carriedOut, NOW, readyPod, SLOT, settings, withStatus } from "./view.fixture.ts";
import type { View } from "./view.ts";

beforeAll(keysReady);

const NEWER = "registry.test/openclaw:2026.10.0";
const LATER = NOW + 3_600_000;
const readySince = { lastReadyTime: new Date(NOW + 5_000).toISOString() };

function plan(view: View, now = LATER): Plan {
  return planInstance(view, settings(), now, SLOT);
}

/** Kinds that a plan deletes or gives other content. */
function touched({ writes }: Plan): string[] {
  return writes.flatMap((write) => {
    if (write.verb !== "apply") return [`${write.verb} ${write.type.kind}`];
    const data = (write.body as { data?: Record<string, string> }).data;
    const is = (write.live as { data?: Record<string, string> }).data;
    return data && JSON.stringify(digestEntries(data)) !== JSON.stringify(is) ? [`change ${write.type.kind}`] : [];
  });
}

/** An instance that was ready with the pod it has. */
function running(parts: Partial<View> = {}): View {
  const before = aView({ instance: anInstance({}, readySince) });
  const made = carriedOut(before, plan(before, NOW).writes);
  return {
    ...made,
    claim: made.claim && { ...made.claim, status: { phase: "Bound" } },
    pod: withStatus(made.pod, readyPod()),
    gateway: { reachable: true },
    ...parts,
  };
}

/** The same, and its class has changed since. */
const outdated = (parts: Partial<View> = {}) =>
  running({ class: aClass({ image: NEWER, defaultModel: "other", models }), ...parts });
const models = [{ name: "other", provider: "p", providerModel: "m", contextWindow: 128_000, maxTokens: 8192 }];

describe("a change of the class", () => {
  it("waits for the instance's turn, the configuration too: a container that restarts would read it", () => {
    const waiting = plan(outdated());
    expect([waiting.rollout, touched(waiting)]).toEqual(["waits", []]);
    expect(waiting.judgement.PodReady.status).toBe("True");
    const due = plan(outdated({ hasTurn: true }));
    expect([due.rollout, touched(due)]).toEqual(["underWay", ["edit ConfigMap", "change ConfigMap", "delete Pod"]]);
  });

  it("marks the pod it makes, until when that is ready the instance is unavailable by it", () => {
    const due = outdated({ hasTurn: true });
    const made = carriedOut({ ...due, pod: undefined }, plan({ ...due, pod: undefined }).writes);
    expect(made.pod?.metadata.annotations?.[ANNOTATION.rollout]).toBe("true");
    expect(running().pod?.metadata.annotations).not.toHaveProperty(ANNOTATION.rollout);
    expect(plan({ ...made, gateway: undefined }).rollout).toBe("underWay");
    const ready = { ...made, pod: withStatus(made.pod, readyPod()), gateway: { reachable: true } as const };
    expect(plan(ready).rollout).toBe("current");
  });

  it("that the instance's own spec does not fit is not followed, and takes no turn", () => {
    const instance = anInstance({ model: { default: "default" } }, readySince);
    const { rollout, ...rest } = plan(outdated({ instance }));
    expect([rollout, touched({ rollout, ...rest })]).toEqual(["refused", []]);
  });

  it("that was tried and gone back from takes no further turn, and keeps the one it was tried in", () => {
    const [configDigest = ""] = plan(outdated({ hasTurn: true })).writes.flatMap((write) => {
      const { [ANNOTATION.configDigest]: of } = ("body" in write && write.body.metadata.annotations) || {};
      return of ?? [];
    });
    const { configMap, instance } = running();
    const from = attemptId(instance, { image: NEWER, configDigest });
    const annotations = { ...configMap?.metadata.annotations, [ANNOTATION.rolledBackFrom]: from };
    const back = configMap && { ...configMap, metadata: { ...configMap.metadata, annotations } };
    const stage = (hasTurn: boolean) => plan(outdated({ configMap: back, hasTurn })).rollout;
    expect([stage(false), stage(true)]).toEqual(["refused", "underWay"]);
  });

  it("lets the rest through at once: what no pod is built from", () => {
    const retained = running().claim?.metadata.ownerReferences;
    expect(retained).toBeUndefined();
    const view = outdated({ class: aClass({ image: NEWER, deletionPolicy: "Delete" }) });
    expect(touched(plan(view))).toEqual(["patch PersistentVolumeClaim"]);
  });

  it("gives a configuration that was edited by hand no time to be read, unless another was not checked yet", () => {
    const { configMap } = running();
    const edited = configMap && { ...configMap, data: digestEntries({ "openclaw.json": "{}" }) };
    const moved = aClass({ scheduling: { nodeSelector: { disk: "fast" } } });
    expect(touched(plan(running({ configMap: edited, class: moved })))).toEqual(["change ConfigMap"]);
    expect(touched(plan(outdated({ configMap: edited })))).toEqual([]);
  });
});

describe("no turn is needed", () => {
  it.each<[string, () => Partial<View>]>([
    ["by an instance whose own spec changed as well", () => ({ instance: anInstance({ image: "own:1" }, readySince) })],
    [
      "for a restart that was asked for",
      () => ({ instance: anInstance({ restartedAt: "2026-11-23T09:00:00Z" }, readySince) }),
    ],
    [
      "by one that has other credentials than its slot's",
      () => ({ gateway: { reachable: false, reason: "GatewayUnauthorized", message: "" } }),
    ],
    ["by one that never was ready with its pod", starting],
    ["by one whose container ends again and again", crashing],
  ])("%s", (_, parts) => {
    const { rollout, ...rest } = plan(outdated(parts()));
    expect(rollout).toBe("underWay");
    expect(touched({ rollout, ...rest })).toContain("delete Pod");
  });

  it("by one that is stopped", () => {
    const stopped = outdated({ instance: anInstance({ runPolicy: "Stopped" }, readySince), pod: undefined });
    expect(plan(stopped).rollout).toBe("current");
  });
});

describe("an instance whose gateway is not heard", () => {
  it.each(["GatewaySilent", "GatewayError", "StorageFull"] as const)("waits like the others (%s)", (reason) => {
    expect(plan(outdated({ gateway: { reachable: false, reason, message: "" } })).rollout).toBe("waits");
  });
});

describe("an instance that was ready and lapses", () => {
  const lapsed = (secondsAgo: number) => {
    const status = readyPod();
    const lastTransitionTime = new Date(LATER - secondsAgo * 1000).toISOString();
    const conditions = [{ type: "Ready", status: "False", lastTransitionTime }];
    return outdated({ pod: withStatus(running().pod, { ...status, conditions }), gateway: undefined });
  };

  it("waits like the others, or a hiccup of many would let a change through to all of them", () => {
    expect(plan(lapsed(5)).rollout).toBe("waits");
  });

  it("waits no more once that is a fault", () => {
    expect(plan(lapsed(60)).rollout).toBe("underWay");
  });
});

function starting(): Partial<View> {
  return { instance: anInstance(), pod: withStatus(running().pod, { phase: "Pending" }), gateway: undefined };
}

function crashing(): Partial<View> {
  const terminated = { exitCode: 1, reason: "Error", message: "boom" };
  const container = readyPod().containerStatuses?.[0];
  const waiting = { reason: "CrashLoopBackOff" };
  const state = { state: { waiting }, lastState: { terminated }, ready: false, restartCount: 5 };
  const pod = withStatus(running().pod, {
    phase: "Running",
    conditions: [{ type: "Ready", status: "False" }],
    containerStatuses: container ? [{ ...container, ...state }] : [],
  });
  return { pod, gateway: undefined };
}
