import { describe, expect, it } from "vitest";
import type { NodeState } from "./node-state.ts";
import { at, container, ended, pod, type Status } from "./pod-status.fixture.ts";
import { judgePod } from "./pod-verdict.ts";
import { NOW } from "./view.fixture.ts";

const unschedulable = {
  phase: "Pending",
  conditions: [
    {
      type: "PodScheduled",
      status: "False",
      reason: "Unschedulable",
      message: "0/1 nodes: Insufficient memory.",
      lastTransitionTime: at(0),
    },
  ],
};
const lapsed = {
  ...container({ started: true, state: { running: { startedAt: at(-600) } } }),
  conditions: [{ type: "Ready", status: "False", lastTransitionTime: at(0) }],
};
const evicted = { phase: "Failed", reason: "Evicted", message: "The node was low on resource: ephemeral-storage." };
const disrupted = (message: string) => ({
  type: "DisruptionTarget",
  status: "True",
  reason: "TerminationByKubelet",
  message,
});
const pull = "rpc error: code = NotFound desc = no such image";

describe("a pod's status amounts to", () => {
  it.each<[string, Status, string, string, boolean, string]>([
    ["nothing yet", {}, "Starting", "PodStarting", false, ""],
    ["no node, a moment ago", unschedulable, "Starting", "PodStarting", false, ""],
    [
      "a container being made",
      container({ state: { waiting: { reason: "ContainerCreating" } } }),
      "Starting",
      "PodStarting",
      false,
      "",
    ],
    [
      "a pull that failed",
      container({ state: { waiting: { reason: "ErrImagePull", message: pull } } }),
      "Starting",
      "ImagePullFailed",
      true,
      "no such image",
    ],
    [
      "a missing Secret",
      container({ state: { waiting: { reason: "CreateContainerConfigError", message: 'secret "x" not found' } } }),
      "Starting",
      "ContainerCreateFailed",
      true,
      'secret "x" not found',
    ],
    [
      "a start in progress",
      container({ state: { running: { startedAt: at(0) } } }),
      "Starting",
      "PodStarting",
      false,
      "",
    ],
    [
      "a first crash",
      container({ restartCount: 1, state: { running: {} }, lastState: { terminated: { exitCode: 1 } } }),
      "Starting",
      "PodStarting",
      false,
      "",
    ],
    ["a crash loop", ended(1, "boom"), "NotReady", "CrashLoop", true, "boom"],
    [
      "a third start after two crashes",
      container({
        restartCount: 2,
        state: { running: {} },
        lastState: { terminated: { exitCode: 1, message: "boom" } },
      }),
      "NotReady",
      "CrashLoop",
      true,
      "boom",
    ],
    [
      "a refused configuration",
      ended(78, 'openclaw.json:2 — gateway: Unrecognized key: "bogusKey"'),
      "NotReady",
      "ConfigRejected",
      true,
      'Unrecognized key: "bogusKey"',
    ],
    [
      "exit 78 for a volume it cannot write",
      ended(78, "EACCES: permission denied, mkdir '/data/state'"),
      "NotReady",
      "StateUnusable",
      true,
      "EACCES",
    ],
    ["too much memory", ended(137, "", "OOMKilled", 3), "NotReady", "OutOfMemory", true, "started again 3 times"],
    [
      "a heap at its own limit",
      ended(134, "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"),
      "NotReady",
      "OutOfMemory",
      true,
      "resources.limits.memory",
    ],
    ["an eviction", evicted, "Ended", "Evicted", true, "low on resource: ephemeral-storage"],
    [
      "a node that shut down",
      { phase: "Failed", reason: "Terminated", message: "Pod was terminated in response to imminent node shutdown." },
      "Ended",
      "NodeLost",
      true,
      "imminent node shutdown",
    ],
    [
      "a node that refused it",
      { phase: "Failed", reason: "OutOfcpu", message: "Pod was rejected" },
      "Ended",
      "PodFailed",
      true,
      "OutOfcpu",
    ],
    ["an eviction in good order", { phase: "Succeeded" }, "Ended", "Evicted", true, "limit of its local storage"],
    [
      "an eviction in good order for what the node is short of",
      { phase: "Succeeded", conditions: [disrupted("The node was low on resource: memory.")] },
      "Ended",
      "Evicted",
      true,
      "ended the pod: The node was low on resource: memory.",
    ],
    [
      "an end in good order as its node shuts down",
      { phase: "Succeeded", conditions: [disrupted("Pod was terminated in response to imminent node shutdown.")] },
      "Ended",
      "NodeLost",
      true,
      "imminent node shutdown",
    ],
    ["a short lapse of readiness", lapsed, "NotReady", "PodNotReady", false, ""],
    [
      "readiness",
      { ...container({ ready: true }), conditions: [{ type: "Ready", status: "True" }] },
      "Ready",
      "AsExpected",
      false,
      "",
    ],
  ])("%s", (_, status, stage, reason, failed, words) => {
    const verdict = judgePod(pod(status), NOW + 1_000);
    expect(verdict).toMatchObject({ stage, reason, failed });
    expect(verdict.message).toContain(words);
  });

  it("an end that is asked for, whatever else it says", () => {
    const verdict = judgePod(pod(evicted, { deletionTimestamp: at(0) }), NOW);
    expect(verdict).toMatchObject({ stage: "Terminating", reason: "PodTerminating", failed: false });
  });
});

describe("the end of a container", () => {
  it("once is an accident where it may pass by itself", () => {
    const terminated = { exitCode: 78, reason: "Error", message: "state lease heartbeat lost" };
    const again = container({ restartCount: 1, state: { running: {} }, lastState: { terminated } });
    expect(judgePod(pod(again), NOW)).toMatchObject({ stage: "Starting", failed: false });
    const twice = container({ restartCount: 2, state: { running: {} }, lastState: { terminated } });
    expect(judgePod(pod(twice), NOW)).toMatchObject({ failed: true, reason: "StateUnusable" });
  });

  it("memory has its limit in the message", () => {
    const containers = [{ name: "openclaw", resources: { limits: { memory: "300Mi" } } }];
    const killed = { ...pod(ended(137, "", "OOMKilled")), spec: { containers } };
    expect(judgePod(killed, NOW).message).toContain("all of the 300Mi of memory");
  });
});

describe("a pod whose node does not answer", () => {
  const ready = { type: "Ready", status: "False", lastTransitionTime: at(0) };
  const silent = { ...container({ ready: true, state: { running: { startedAt: at(-600) } } }), conditions: [ready] };
  const state = (kind: NodeState["kind"]) => ({ name: "n1", kind, since: NOW, lostAt: NOW + 60_000 });

  it("is lost once that lasts, and a person is told what to do", () => {
    const early = judgePod(pod(silent), NOW + 59_999, state("Silent"));
    expect(early).toMatchObject({ failed: false, reason: "NodeLost", failsAt: NOW + 60_000 });
    const lost = judgePod(pod(silent), NOW + 60_000, state("Silent"));
    expect(lost).toMatchObject({ stage: "NotReady", failed: true, reason: "NodeLost" });
    expect(lost.message).toContain("node n1 does not answer since 2026-11-23T10:00:00Z");
    expect(lost.message).toContain("kubectl taint node n1 node.kubernetes.io/out-of-service=nodeshutdown:NoExecute");
  });

  it.each(["Gone", "OutOfService"] as const)("has ended when its node is %s", (kind) => {
    for (const metadata of [{}, { deletionTimestamp: at(300) }]) {
      const verdict = judgePod(pod(silent, metadata), NOW + 60_000, state(kind));
      expect(verdict).toMatchObject({ stage: "Ended", failed: true, reason: "NodeLost" });
    }
  });

  it("ends no sooner for it than its own end", () => {
    const ending = pod(silent, { deletionTimestamp: at(10) });
    expect(judgePod(ending, NOW, state("Silent"))).toMatchObject({ reason: "PodTerminating", failsAt: NOW + 60_000 });
    expect(judgePod(ending, NOW + 60_000, state("Silent"))).toMatchObject({ stage: "Terminating", reason: "NodeLost" });
    expect(judgePod(pod(evicted), NOW + 60_000, state("Silent"))).toMatchObject({ stage: "Ended", reason: "Evicted" });
  });
});

describe("a container that others put beside ours", () => {
  it("says nothing of it, also when it is listed first", () => {
    const sidecar = { name: "mesh", image: "m", imageID: "", ready: true, restartCount: 0, state: { running: {} } };
    const status = ended(1, "boom", "Error", 5);
    const beside = { ...status, containerStatuses: [sidecar, ...(status.containerStatuses ?? [])] };
    expect(judgePod(pod(beside), NOW)).toMatchObject({ reason: "CrashLoop" });
  });
});

describe("what may be a step on the way", () => {
  it.each([
    [unschedulable, 10_000, "Unschedulable"],
    [lapsed, 30_000, "PodNotReady"],
    [container({ state: { waiting: { reason: "ContainerCreating" } } }), 300_000, "ContainerCreateFailed"],
  ])("is a fault once it lasts (%#)", (status, graceMs, reason) => {
    const early = judgePod(pod(status), NOW + graceMs - 1);
    expect(early).toMatchObject({ failed: false, failsAt: NOW + graceMs });
    expect(judgePod(pod(status), NOW + graceMs)).toMatchObject({ failed: true, reason });
  });
});

describe("a pod that nobody begins with", () => {
  const scheduled = (status: string, reason?: string) => ({
    phase: "Pending",
    conditions: [{ type: "PodScheduled", status, lastTransitionTime: at(0), ...(reason ? { reason } : {}) }],
  });
  it.each<[string, Status, string | undefined, string, RegExp]>([
    ["no scheduler looks at", { phase: "Pending" }, undefined, "Unschedulable", /No scheduler .*schedulerName/],
    ["gates hold back", scheduled("False", "SchedulingGated"), undefined, "Unschedulable", /gates .*schedulingGates/],
    ["its node is silent of", scheduled("True"), "n1", "ContainerCreateFailed", /node n1 has not begun .*kubelet/],
  ])("that %s is a fault after five minutes", (_, status, nodeName, reason, words) => {
    const waiting = { ...pod(status), spec: { containers: [], ...(nodeName ? { nodeName } : {}) } };
    expect(judgePod(waiting, NOW + 299_999)).toMatchObject({ failed: false, failsAt: NOW + 300_000 });
    const late = judgePod(waiting, NOW + 300_000);
    expect(late).toMatchObject({ stage: "Starting", failed: true, reason });
    expect(late.message).toMatch(words);
  });
});

describe("a container that is not made", () => {
  it("is late by when its pod got a node, however long that took", () => {
    const creating = container({ state: { waiting: { reason: "PodInitializing" } } });
    const conditions = [{ type: "PodScheduled", status: "True", lastTransitionTime: at(600) }];
    const late = judgePod(pod({ ...creating, conditions }), NOW + 601_000);
    expect(late).toMatchObject({ failed: false, failsAt: NOW + 900_000 });
  });
});

describe("a pod that does not end", () => {
  it("is a fault five minutes after it should have, with what to do about its node", () => {
    const ending = {
      ...pod({ phase: "Running" }, { deletionTimestamp: at(0) }),
      spec: { nodeName: "n1", containers: [] },
    };
    expect(judgePod(ending, NOW + 299_999)).toMatchObject({ failed: false, failsAt: NOW + 300_000 });
    const stuck = judgePod(ending, NOW + 300_000);
    expect(stuck).toMatchObject({ stage: "Terminating", failed: true, reason: "PodTerminating" });
    expect(stuck.message).toContain("kubectl get node n1");
  });
});
