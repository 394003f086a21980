import { beforeAll, describe, expect, it } from "vitest";
import { ANNOTATION, type InstanceSpecInput } from "#crds/index.ts";
import { keysReady } from "#lib/keys.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { ModelApiserver } from "./model-apiserver.fixture.ts";
import { changes, plan, running } from "./plan.fixture.ts";
import { deriveStatus } from "./status.ts";
import { aClass, anInstance, NOW, readyPod, withStatus } from "./view.fixture.ts";
import type { View } from "./view.ts";

beforeAll(keysReady);

type PodStatus = NonNullable<Pod["status"]>;

const OLD = "registry.test/openclaw:2026.9.6-0123456789ab";
const NEW = "registry.test/openclaw:2026.10.0";
const CHANGED: Partial<InstanceSpecInput> = {
  image: NEW,
  gateway: { config: { agents: { defaults: { timeoutSeconds: 601 } } } },
};

const scheduled = { type: "PodScheduled", status: "True", lastTransitionTime: new Date(NOW).toISOString() };
const container = (state: object, restartCount = 0) => ({
  name: "openclaw",
  image: "i",
  imageID: "",
  ready: false,
  restartCount,
  ...state,
});
const starting = (...containerStatuses: ReturnType<typeof container>[]): PodStatus => ({
  phase: "Pending",
  conditions: [scheduled],
  containerStatuses,
});
const ended = (exitCode: number, message: string) => ({ lastState: { terminated: { exitCode, message } }, state: {} });
const CRASHES = starting(container(ended(1, "cannot start"), 3));
const REFUSES = starting(container(ended(78, "Unrecognized key"), 1));

/** Carries plans out, one after the other, until nothing more is to be done or the pod is to end. */
async function settle(view: View, now = NOW): Promise<View> {
  const server = new ModelApiserver(view);
  for (let pass = 0; pass < 5; pass++) {
    const before = server.requests.length;
    expect(await server.carryOut(plan(server.view, now).writes)).toBe("done");
    if (server.requests.length === before) break;
  }
  return server.view;
}

const asked = (view: View, spec: Partial<InstanceSpecInput>): View => ({ ...view, instance: anInstance(spec) });
const podIs = (view: View, status: PodStatus): View => ({ ...view, pod: withStatus(view.pod, status) });
const imageOf = (view: View) => view.pod?.spec?.containers[0]?.image;
const record = ({ configMap }: View) => ({
  files: Object.keys(configMap?.data ?? {}).sort(),
  image: configMap?.metadata.annotations?.[ANNOTATION.image],
  previous: configMap?.metadata.annotations?.[ANNOTATION.previousImage],
  rolledBack: configMap?.metadata.annotations?.[ANNOTATION.rolledBackFrom] !== undefined,
});
const configOf = ({ configMap }: View) => configMap?.data?.["openclaw.json"];

/** The status tells of it. */
function reported(view: View, now = NOW): View {
  const status = deriveStatus(view.instance, { ...plan(view, now), pod: view.pod }, now);
  return { ...view, instance: { ...view.instance, status } };
}

/** An instance that served and whose changed release is on trial, with its new pod. */
async function onTrial(spec = CHANGED): Promise<View> {
  const ending = await settle(asked(running(), spec));
  expect(ending.pod?.metadata.deletionTimestamp).toBeDefined();
  const view = await settle({ ...ending, pod: undefined, gateway: undefined });
  expect(imageOf(view)).toBe(NEW);
  return view;
}

describe("a release on trial", () => {
  it("keeps the one before until a pod of it is ready", async () => {
    const view = await onTrial();
    expect(record(view)).toMatchObject({ files: ["openclaw.json", "previous.json"], image: NEW, previous: OLD });
    const ready = await settle(podIs(view, readyPod()));
    expect(record(ready)).toEqual({ files: ["openclaw.json"], image: NEW, previous: undefined, rolledBack: false });
    // From then on its faults are not those of a change.
    const later = podIs(ready, CRASHES);
    expect(changes(plan(later))).toEqual([]);
    expect(plan(later).judgement.PodReady).toMatchObject({ reason: "CrashLoop" });
  });

  it.each<[string, PodStatus, number, string]>([
    ["crashes", CRASHES, 0, "CrashLoop: "],
    ["refuses its configuration", REFUSES, 0, "ConfigRejected: "],
    [
      "cannot be made",
      starting(container({ state: { waiting: { reason: "CreateContainerError" } } })),
      0,
      "ContainerCreateFailed: ",
    ],
    [
      "has no image",
      starting(container({ state: { waiting: { reason: "ErrImagePull" } } })),
      60_000,
      "ImagePullFailed: ",
    ],
    ["never becomes ready", starting(container({ state: { running: {} } })), 300_000, "not ready 5 min"],
  ])("is gone back from when its pod %s", async (_, status, afterMs, because) => {
    const before = running();
    const view = reported(podIs(await onTrial(), status));
    if (afterMs > 0) {
      expect(changes(plan(view, NOW + afterMs - 1))).toEqual([]);
      expect(plan(view, NOW + afterMs - 1).wakeAt).toBeLessThanOrEqual(NOW + afterMs);
    }
    const now = NOW + afterMs;
    const failed = plan(view, now);
    expect(changes(failed)).toEqual(["edit ConfigMap", "delete Pod"]);
    expect(failed.judgement.ConfigValid).toMatchObject({ status: "False", reason: "RolledBack" });
    expect(failed.judgement.ConfigValid.message).toContain(because);

    const back = await settle({ ...(await settle(view, now)), pod: undefined }, now);
    expect([imageOf(back), configOf(back)]).toEqual([OLD, configOf(before)]);
    expect(back.pod?.metadata.annotations?.[ANNOTATION.podHash]).toBe(
      before.pod?.metadata.annotations?.[ANNOTATION.podHash],
    );
    expect(record(back)).toEqual({ files: ["openclaw.json"], image: OLD, previous: undefined, rolledBack: true });
    // Or the next apply of the same would count as one that puts back what somebody changed.
    expect(back.configMap?.metadata.annotations).not.toHaveProperty([ANNOTATION.appliedHash]);
    const serving = { ...podIs(back, readyPod()), gateway: { reachable: true } as const };
    const told = deriveStatus(serving.instance, { ...plan(serving, now), pod: serving.pod }, now);
    expect(told).toMatchObject({ phase: "Ready", failure: { step: "config", reason: "RolledBack" } });
    expect(told.failure?.message).toContain(because);
    expect(changes(plan(serving, now))).toEqual([]);
  });

  it.each<[string, PodStatus]>([
    ["has no node", { phase: "Pending", conditions: [{ ...scheduled, status: "False", reason: "Unschedulable" }] }],
    [
      "was ready before anybody looked",
      {
        ...readyPod(),
        conditions: [
          scheduled,
          { type: "Ready", status: "False", lastTransitionTime: new Date(NOW + 1_000).toISOString() },
        ],
      },
    ],
  ])("stays when its pod %s", async (_, status) => {
    const view = podIs(await onTrial(), status);
    expect(changes(plan(view, NOW + 3_600_000))).not.toContain("delete Pod");
  });

  it("does not begin with the pod before it, which is drained, and gives way to another meanwhile", async () => {
    const slow = { ...running(), class: aClass({ drainSeconds: 60 }) };
    const drained = await settle(asked(slow, CHANGED));
    expect(drained.pod?.metadata.deletionTimestamp).toBeUndefined();
    expect(record(drained)).toMatchObject({ image: NEW, previous: OLD });
    const other = await settle(asked(drained, { image: "registry.test/openclaw:2026.11.0" }));
    expect(record(other)).toMatchObject({ image: "registry.test/openclaw:2026.11.0", previous: OLD });
  });

  it("is judged by its own pod, not by the one before it that still ends", async () => {
    const ending = await settle(asked(running(), CHANGED));
    expect(changes(plan(ending, NOW + 3_600_000))).toEqual([]);
  });

  it("is given a registry's patience from the first failure on, however long the pull took until then", async () => {
    const pull = starting(container({ state: { waiting: { reason: "ErrImagePull" } } }));
    const late = NOW + 120_000;
    const failing = podIs(await onTrial(), pull);
    expect(changes(plan(failing, late))).toEqual([]);
    expect(plan(failing, late).wakeAt).toBe(late + 60_000);
    expect(changes(plan(reported(failing, late), late + 60_000))).toEqual(["edit ConfigMap", "delete Pod"]);
    // But no longer than a start may take at all.
    expect(changes(plan(reported(failing, NOW + 299_000), NOW + 300_000))).toEqual(["edit ConfigMap", "delete Pod"]);
  });

  it("goes on with the pod that takes the place of an evicted one", async () => {
    const view = podIs(await onTrial(), { phase: "Failed", reason: "Evicted" });
    expect(changes(plan(view, NOW + 3_600_000))).toEqual(["delete Pod", "create Pod"]);
  });

  it("gives way to another, and what is gone back to is still the one that worked", async () => {
    const other = "registry.test/openclaw:2026.11.0";
    const view = podIs(await onTrial(), starting());
    const next = await settle(asked(view, { image: other }));
    expect(record(next)).toMatchObject({ image: other, previous: OLD });
    const back = await settle(asked(view, {}));
    expect(record(back)).toEqual({ files: ["openclaw.json"], image: OLD, previous: undefined, rolledBack: false });
  });
});

describe("an instance that was rolled back", () => {
  async function rolledBack(): Promise<View> {
    const failed = podIs(await onTrial(), CRASHES);
    const back = await settle({ ...(await settle(failed)), pod: undefined });
    return { ...podIs(back, readyPod()), gateway: { reachable: true } };
  }

  it("tries no more by itself, not even when its pod is gone", async () => {
    const view = await rolledBack();
    expect(changes(plan(view, NOW + 86_400_000))).toEqual([]);
    expect(imageOf(await settle({ ...view, pod: undefined }))).toBe(OLD);
    // A fault of the release of before is that one's own.
    expect(changes(plan(podIs(view, CRASHES), NOW + 86_400_000))).toEqual([]);
  });

  it("keeps what it has also for a spec that cannot be carried out", async () => {
    const forbidden = { ...CHANGED, gateway: { config: { gateway: { port: 1 } } } };
    expect(imageOf(await settle({ ...asked(await rolledBack(), forbidden), pod: undefined }))).toBe(OLD);
  });

  it.each<[string, Partial<InstanceSpecInput>]>([
    ["another image", { ...CHANGED, image: "registry.test/openclaw:2026.11.0" }],
    ["another configuration", { ...CHANGED, gateway: { config: { agents: { defaults: { timeoutSeconds: 602 } } } } }],
    ["the same by a new restartedAt", { ...CHANGED, restartedAt: "2026-11-23T11:00:00Z" }],
  ])("tries %s", async (_, spec) => {
    const view = await settle(asked(await rolledBack(), spec));
    expect(view.pod?.metadata.deletionTimestamp).toBeDefined();
    expect(record(view)).toMatchObject({ previous: OLD, rolledBack: false });
    expect(plan(view).judgement.ConfigValid.status).toBe("True");
  });

  it("is as before when what it has is asked for", async () => {
    const view = await settle(asked(await rolledBack(), {}));
    expect(view.pod?.metadata.deletionTimestamp).toBeUndefined();
    expect(record(view)).toMatchObject({ previous: undefined, rolledBack: false });
  });
});

describe("nothing is gone back to", () => {
  it("where nothing worked before", async () => {
    const fresh = podIs(running({ instance: anInstance(CHANGED) }), CRASHES);
    expect(changes(plan(fresh))).toEqual([]);
    const corrected = await settle(asked(fresh, {}));
    expect(record(corrected)).toMatchObject({ image: OLD, previous: undefined });
  });

  it("that was edited by hand meanwhile", async () => {
    const view = podIs(await onTrial(), CRASHES);
    const data = { ...view.configMap?.data, "previous.json": "edited" };
    const edited = { ...view, configMap: view.configMap && { ...view.configMap, data } };
    expect(changes(plan(edited))).toEqual([]);
  });
});
