import { describe, expect, it } from "vitest";
import type { Pod } from "#lib/kube/resource.ts";
import { judgePod } from "./pod-verdict.ts";
import { NOW } from "./view.fixture.ts";

type Status = NonNullable<Pod["status"]>;
type Container = NonNullable<Status["containerStatuses"]>[number];

const at = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();

function pod(status: Status, metadata: Partial<Pod["metadata"]> = {}): Pod {
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "p", creationTimestamp: at(0), ...metadata }, status };
}

function container(parts: Partial<Container>): Status {
  const base = { name: "openclaw", image: "img:1", imageID: "", ready: false, restartCount: 0 };
  return { phase: "Running", containerStatuses: [{ ...base, ...parts }] };
}

function ended(exitCode: number, message = "", reason = "Error", restartCount = 1): Status {
  return container({
    restartCount,
    state: { waiting: { reason: "CrashLoopBackOff" } },
    lastState: { terminated: { exitCode, reason, message } },
  });
}

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
      "CrashLoop",
      true,
      "EACCES",
    ],
    ["too much memory", ended(137, "", "OOMKilled"), "NotReady", "OutOfMemory", true, "memory limit"],
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
    ["an end without restart", { phase: "Succeeded" }, "Ended", "PodFailed", true, "no reason"],
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

describe("a container that is not made", () => {
  it("is late by when its pod got a node, however long that took", () => {
    const creating = container({ state: { waiting: { reason: "ContainerCreating" } } });
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
    expect(stuck).toMatchObject({ stage: "Terminating", failed: true, reason: "NodeLost" });
    expect(stuck.message).toContain("kubectl get node n1");
  });
});

describe("the reason of a fault", () => {
  it("has nothing of what was said at a level below warn, whole or cut", () => {
    const log = [
      'my secret plans"}',
      '{"level":"info","message":"my secret plans"}',
      '{"message":"my secret plans"}',
      '{"level":"info","message":"my secret',
      '{"level":"warn","message":"disk is slow"}',
      "Error: boom",
    ];
    const { message } = judgePod(pod(ended(1, log.join("\n"))), NOW);
    expect(message).toContain("disk is slow | Error: boom");
    expect(message).not.toContain("secret");
    const cut = `my secret plans ${"x".repeat(2040)}\nError: boom`;
    expect(judgePod(pod(ended(1, cut)), NOW).message).not.toMatch(/secret|xxx/);
  });

  it("does not change with the kubelet's turns between a pull and the pause after it", () => {
    const waiting = (reason: string, message: string) => container({ state: { waiting: { reason, message } } });
    const failed = judgePod(pod(waiting("ErrImagePull", pull)), NOW);
    const paused = judgePod(
      pod(waiting("ImagePullBackOff", `Back-off pulling image "img:1": ErrImagePull: ${pull}`)),
      NOW,
    );
    expect(paused).toEqual(failed);
  });

  it("is OpenClaw's own words, without the clothes of its log", () => {
    const log = [
      'ut off half a line"}',
      '{"level":"error","message":"Invalid config at /config/openclaw.json"}',
      "",
      "exiting",
    ].join("\n");
    const { message } = judgePod(pod(ended(78, log)), NOW);
    expect(message).toContain("Invalid config at /config/openclaw.json | exiting");
    expect(message).not.toContain('"level"');
  });
});
