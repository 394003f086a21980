import { beforeAll, describe, expect, it } from "vitest";
import { INSTANCES, type InstanceStatus, type OpenClawInstance } from "#crds/index.ts";
import { keysReady } from "#lib/keys.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { StatusPatcher } from "../status-patcher.ts";
import { planInstance } from "./plan.ts";
import { deriveStatus } from "./status.ts";
import { createStatusWriter } from "./status-writer.ts";
import { anInstance, aView, carriedOut, NOW, readyPod, SLOT, settings, withStatus } from "./view.fixture.ts";
import type { View } from "./view.ts";

beforeAll(keysReady);

const { signal } = new AbortController();
const at = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();
const container = { name: "openclaw", image: "", imageID: "", ready: false, restartCount: 0 };

/** An apiserver that takes every status as it is. */
function recorder() {
  const written: InstanceStatus[] = [];
  const mergePatch = (_type: unknown, _ref: unknown, { status }: { status: InstanceStatus }) => {
    written.push(status);
    return Promise.resolve({ ...anInstance(), status });
  };
  const client = { mergePatch } as unknown as KubeClient;
  return { written, patcher: new StatusPatcher<OpenClawInstance>(client, INSTANCES, () => undefined) };
}

describe("the writer of statuses", () => {
  it("writes twice for a start of minutes: when it begins and when it is over", async () => {
    const { written, patcher } = recorder();
    const clock = new ManualClock(NOW);
    const writer = createStatusWriter(patcher, clock);
    const made = carriedOut(aView(), planInstance(aView(), settings(), NOW, SLOT).writes);
    const claim = made.claim && { ...made.claim, status: { phase: "Bound" } };
    const running = { ...container, state: { running: { startedAt: at(60) } } };
    const unready = [{ type: "Ready", status: "False", lastTransitionTime: at(1) }];
    const lapse = [{ type: "Ready", status: "False", lastTransitionTime: at(151) }];
    const steps: [number, Partial<View>][] = [
      [0, {}],
      [5, made],
      [30, { ...made, claim }],
      [40, { ...made, claim, pod: pod(made, { phase: "Pending", conditions: unready }) }],
      [
        110,
        { ...made, claim, pod: pod(made, { phase: "Running", conditions: unready, containerStatuses: [running] }) },
      ],
      [150, { ...made, claim, pod: pod(made, readyPod()) }],
      [151, { ...made, claim, pod: pod(made, { ...readyPod(), conditions: lapse }) }],
      [175, { ...made, claim, pod: pod(made, readyPod()) }],
      [180, { ...made, claim, pod: pod(made, readyPod()), gateway: { reachable: true } }],
    ];
    let instance: OpenClawInstance = anInstance();
    for (const [seconds, parts] of steps) {
      await clock.advance(NOW + seconds * 1000 - clock.now());
      const now = clock.now();
      const view = { ...aView(), ...parts, instance };
      const { judgement, blocked, slot } = planInstance(view, settings(), now, SLOT);
      const next = deriveStatus(instance, { judgement, blocked, slot, pod: view.pod }, now);
      instance = (await writer.write(instance, next, signal)).written ?? instance;
    }
    expect(written.map(({ phase }) => phase)).toEqual(["Provisioning", "Ready"]);
    expect(written.at(-1)?.conditions?.every(({ status }) => status === "True")).toBe(true);
  });

  it("holds back what can wait for a minute, whatever the clock is set to meanwhile", async () => {
    const { written, patcher } = recorder();
    const clock = new ManualClock(NOW);
    const writer = createStatusWriter(patcher, clock);
    const instance = anInstance({}, { phase: "Ready", restarts: 0 });
    const next: InstanceStatus = { phase: "Ready", restarts: 1 };
    expect(await writer.write(instance, next, signal)).toEqual({ againInMs: 60_000 });
    clock.jump(-3_600_000);
    await clock.advance(59_000);
    expect(await writer.write(instance, next, signal)).toEqual({ againInMs: 1_000 });
    await clock.advance(1_000);
    await writer.write(instance, next, signal);
    expect(written).toEqual([next]);
  });
});

function pod(view: View, status: NonNullable<Pod["status"]>): Pod {
  return withStatus(view.pod, status);
}
