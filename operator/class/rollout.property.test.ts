import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { ANNOTATION, CONDITION, type OpenClawClass, type OpenClawInstance } from "#crds/index.ts";
import { keysReady } from "#lib/keys.ts";
import { isConditionTrue } from "#lib/kube/conditions.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { type Plan, planInstance } from "../instance/plan.ts";
import type { Settings } from "../instance/settings.ts";
import { deriveStatus } from "../instance/status.ts";
import { attemptId } from "../instance/trial.ts";
import {
  aClass,
  anInstance,
  aView,
  carriedOut,
  NOW,
  readyPod,
  SLOT,
  settings,
  withStatus,
} from "../instance/view.fixture.ts";
import type { View } from "../instance/view.ts";
import { createRolloutGate, type RolloutGate } from "./rollout-gate.ts";

let all: Settings;
beforeAll(async () => {
  await keysReady();
  all = settings();
});

const COUNT = 6;
const MAX_UNAVAILABLE = 2;
const BROKEN = "registry.test/openclaw:broken";

/**
 * Instances of one class, their pods and a kubelet, with the operator's own plans, statuses and gate. An instance is looked at
 * only when something woke it, so that a forgotten wake-up shows as a rollout that does not end.
 */
class World {
  plan: OpenClawClass = aClass({ drainSeconds: 0, rollout: { maxUnavailable: MAX_UNAVAILABLE } });
  readonly #views = new Map<string, View>();
  readonly #due = new Set<string>();
  #gate: RolloutGate;
  #now = NOW;
  /** The most that were without a ready pod, or not told to be ready, at any time since all first were. */
  most = 0;
  /** The operator dies when it next has carried out a plan, before it tells of that. */
  crashes = false;

  constructor() {
    this.#gate = this.#openGate();
    for (let i = 0; i < COUNT; i++) {
      const instance = anInstance();
      const metadata = { ...instance.metadata, name: `claw-${i}`, uid: `uid-of-${i}` };
      this.#views.set(`tenants/claw-${i}`, aView({ instance: { ...instance, metadata }, class: this.plan }));
    }
    this.restart();
    this.settle();
    this.most = 0;
  }

  #openGate(): RolloutGate {
    const podOf = (key: string) => this.#views.get(key.replace("openclaw-", ""))?.pod;
    const instances = { byIndex: () => [...this.#views.values()].map(({ instance }) => instance) };
    return createRolloutGate({
      caches: { instances, pods: { get: podOf } } as never,
      wake: (key) => this.#due.add(key),
      onProgress: () => undefined,
    });
  }

  /** The operator starts anew: what it held in memory is gone. */
  restart(): void {
    this.#gate = this.#openGate();
    for (const key of this.#views.keys()) this.#due.add(key);
  }

  change(spec: Partial<OpenClawClass["spec"]>): void {
    const { metadata } = this.plan;
    const generation = (metadata.generation ?? 1) + 1;
    this.plan = { ...this.plan, metadata: { ...metadata, generation }, spec: { ...this.plan.spec, ...spec } };
    for (const [key, view] of this.#views) this.#put(key, { ...view, class: this.plan });
  }

  /** All have asked for an image of their own that broke them, and were rolled back. */
  rollBack(): void {
    for (const [key, view] of this.#views) {
      const instance = { ...view.instance, spec: { ...view.instance.spec, image: BROKEN } };
      const { configMap } = view;
      const { [ANNOTATION.configDigest]: configDigest = "", ...rest } = configMap?.metadata.annotations ?? {};
      const rolledBackFrom = attemptId(instance, { image: BROKEN, configDigest });
      const annotations = {
        ...rest,
        [ANNOTATION.configDigest]: configDigest,
        [ANNOTATION.rolledBackFrom]: rolledBackFrom,
      };
      const back = configMap && { ...configMap, metadata: { ...configMap.metadata, annotations } };
      // The pod of before is made anew.
      this.#put(key, { ...view, instance, configMap: back, pod: undefined, gateway: undefined });
    }
    this.settle();
    this.most = 0;
  }

  /** What is to be done next, in any order: look at one that is due, or let the kubelet do a step. */
  get steps(): (() => void)[] {
    return [
      ...[...this.#due].map((key) => () => this.#reconcile(key)),
      ...[...this.#views].flatMap(([key, view]) => {
        const next = nextOfKubelet(view);
        return next ? [() => this.#put(key, { ...view, ...next })] : [];
      }),
    ];
  }

  settle(): void {
    for (let step = this.steps[0]; step; step = this.steps[0]) step();
  }

  get pods(): Pod[] {
    return [...this.#views.values()].flatMap(({ pod }) => pod ?? []);
  }

  get unavailable(): OpenClawInstance[] {
    return [...this.#views.values()].filter((view) => !isServing(view)).map(({ instance }) => instance);
  }

  #put(key: string, view: View): void {
    this.#views.set(key, view);
    this.#due.add(key);
    this.most = Math.max(this.most, this.unavailable.length);
  }

  #reconcile(key: string): void {
    const before = this.#views.get(key);
    if (!before) throw new TypeError(key);
    this.#due.delete(key);
    this.#now += 1_000;
    const view = { ...before, hasTurn: this.#gate.hasTurn(before.instance) };
    const plan = this.#planInTurn(view);
    const pod = view.pod;
    let after = carriedOut(
      view,
      plan.writes.filter(({ verb, type }) => verb !== "delete" || type.kind !== "Pod"),
    );
    if (plan.writes.some(({ verb, type }) => verb === "delete" && type.kind === "Pod"))
      after = { ...after, pod: ending(pod, this.#now) };
    else if (after.pod && after.pod.metadata.uid !== pod?.metadata.uid)
      after = { ...after, pod: born(after.pod, this.#now) };
    if (this.crashes) {
      this.#put(key, { ...after, gateway: after.pod === view.pod ? view.gateway : undefined });
      this.crashes = false;
      this.restart();
      return;
    }
    const status = deriveStatus(view.instance, { ...plan, pod }, this.#now);
    const instance = { ...view.instance, status };
    if (after.pod !== view.pod || JSON.stringify(status) !== JSON.stringify(view.instance.status)) {
      this.#put(key, { ...after, instance, gateway: after.pod === view.pod ? view.gateway : undefined });
    } else this.#views.set(key, { ...after, instance });
    this.#gate.settle(view.instance, this.plan, plan.rollout);
  }

  #planInTurn(view: View): Plan {
    const plan = planInstance(view, all, this.#now, SLOT);
    if (plan.rollout !== "waits" || !this.#gate.take(view.instance, this.plan)) return plan;
    return planInstance({ ...view, hasTurn: true }, all, this.#now, SLOT);
  }
}

function ending(pod: Pod | undefined, now: number): Pod | undefined {
  return pod && { ...pod, metadata: { ...pod.metadata, deletionTimestamp: new Date(now).toISOString() } };
}

function born(pod: Pod, now: number): Pod {
  return { ...pod, metadata: { ...pod.metadata, creationTimestamp: new Date(now).toISOString() } };
}

function imageOf(pod: Pod): string | undefined {
  return pod.spec?.containers[0]?.image;
}

/** One change at a time: a volume is bound, a pod starts or fails to, is ready, has its gateway called, is gone. */
function nextOfKubelet({ claim, pod, gateway }: View): Partial<View> | undefined {
  if (claim && claim.status?.phase !== "Bound") return { claim: { ...claim, status: { phase: "Bound" } } };
  if (!pod) return undefined;
  if (pod.metadata.deletionTimestamp) return { pod: undefined, gateway: undefined };
  if (imageOf(pod) === BROKEN) {
    const waiting = { reason: "ImagePullBackOff", message: "not found" };
    const container = {
      name: "openclaw",
      image: BROKEN,
      imageID: "",
      ready: false,
      restartCount: 0,
      state: { waiting },
    };
    return pod.status?.phase
      ? undefined
      : { pod: withStatus(pod, { phase: "Pending", containerStatuses: [container] }) };
  }
  if (!isReadyPod(pod)) return { pod: withStatus(pod, readyPod()) };
  return gateway ? undefined : { gateway: { reachable: true } };
}

function isReadyPod({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;
}

function isServing({ instance, pod }: View): boolean {
  const told = isConditionTrue(instance.status?.conditions, CONDITION.Ready);
  return told && pod !== undefined && isReadyPod(pod) && !pod.metadata.deletionTimestamp;
}

const choices = fc.array(fc.nat({ max: 1_000 }), { minLength: 20, maxLength: 120 });
/** Choices below these, of a thousand, are such. */
const RESTARTS = 30;
const CRASHES = 80;

/** Steps in an order that the choices give, now and then with an operator that starts anew. */
function live(world: World, order: readonly number[], restarts: boolean): void {
  for (const choice of order) {
    if (restarts && choice < RESTARTS) world.restart();
    else if (restarts && choice < CRASHES) world.crashes = true;
    const { steps } = world;
    steps[choice % Math.max(1, steps.length)]?.();
  }
}

describe("a rollout, whatever comes first and however often the operator starts anew", () => {
  it("never makes more unavailable than may be, and ends", () => {
    fc.assert(
      fc.property(choices, fc.boolean(), (order, restarts) => {
        const world = new World();
        world.change({ image: "registry.test/openclaw:2026.10.0" });
        live(world, order, restarts);
        world.settle();
        expect(world.most).toBe(MAX_UNAVAILABLE);
        expect(world.unavailable).toEqual([]);
        expect(world.pods.map(imageOf)).toEqual(Array(COUNT).fill("registry.test/openclaw:2026.10.0"));
      }),
      { numRuns: 25 },
    );
  });

  it("that breaks instances stops at as many, and is followed by its correction", () => {
    fc.assert(
      fc.property(choices, choices, fc.boolean(), (order, later, restarts) => {
        const world = new World();
        world.change({ image: BROKEN });
        live(world, order, restarts);
        world.settle();
        expect(world.unavailable).toHaveLength(MAX_UNAVAILABLE);
        if (restarts) world.restart();
        world.settle();
        expect(world.most).toBe(MAX_UNAVAILABLE);
        world.change({ image: "registry.test/openclaw:2026.10.0" });
        live(world, later, restarts);
        world.settle();
        expect(world.most).toBe(MAX_UNAVAILABLE);
        expect(world.unavailable).toEqual([]);
        expect(world.pods.map(imageOf)).toEqual(Array(COUNT).fill("registry.test/openclaw:2026.10.0"));
      }),
      { numRuns: 25 },
    );
  });

  it("leaves instances that were rolled back as they are while they serve, for what they asked for they do not get", () => {
    fc.assert(
      fc.property(choices, fc.boolean(), (order, restarts) => {
        const world = new World();
        world.rollBack();
        const before = world.pods.map(({ metadata }) => metadata.uid);
        world.change({ scheduling: { nodeSelector: { disk: "fast" } } });
        live(world, order, restarts);
        world.settle();
        expect(world.most).toBe(0);
        expect(world.pods.map(({ metadata }) => metadata.uid)).toEqual(before);
      }),
      { numRuns: 10 },
    );
  });
});
